"""Every public layer and activation of Keras: exported and verified, or refused by name."""
