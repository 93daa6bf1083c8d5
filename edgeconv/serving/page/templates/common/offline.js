/** The page needs the server: it is not kept. */
export async function keepOffline() {
  return false;
}
