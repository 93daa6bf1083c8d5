#!/bin/sh
# Makes the ARM system that `edgeconv evaluate --emulate pi4` and `pi5` run: Debian's arm64 Python with numpy and the
# release of ONNX Runtime that is installed here. Some 60 MB to download and 200 MB on the disk; needs apt, dpkg, QEMU
# and the pip of PYTHON, no root's rights. Usage: tests/devices/make_root.sh [PYTHON]
set -eu

python=${1:-.venv/bin/python}
read -r release root <<FACTS
$("$python" -c '
import onnxruntime
from edgeconv.evaluation.emulation.emulator import arm_root
print(onnxruntime.__version__, arm_root())')
FACTS
if [ -e "$root" ]; then
	echo "$root is there: remove it first to have it made again."
	exit
fi
mkdir -p "$(dirname "$root")"
work=$(mktemp -d "$root.XXXXXX")
trap 'rm -rf "$work"' EXIT
made=$work/root
mkdir -p "$made" "$work/state/lists/partial" "$work/cache/archives/partial"
touch "$work/state/status"

# apt works in folders of its own; hooks of the machine's own apt have no business there.
cat >"$work/apt.conf" <<APT
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "";
Dir::State "$work/state";
Dir::State::status "$work/state/status";
Dir::Cache "$work/cache";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
#clear DPkg::Post-Invoke;
APT
if ! grep -q '^ID=debian$' /etc/os-release; then # Others need Debian's keys: the package debian-archive-keyring.
	keys=/usr/share/keyrings/debian-archive-keyring.gpg
	echo "deb [signed-by=$keys] http://deb.debian.org/debian bookworm main" >"$work/sources.list"
	echo "Dir::Etc::sourcelist \"$work/sources.list\"; Dir::Etc::sourceparts \"-\";" >>"$work/apt.conf"
fi
apt-get -q -y -c "$work/apt.conf" update
apt-get -q -y -c "$work/apt.conf" --download-only install python3-minimal libpython3-stdlib libstdc++6
for package in "$work"/cache/archives/*.deb; do dpkg -x "$package" "$made"; done

# Wheels for Debian 12's glibc, 2.36, and older. Without dependencies: to run a model takes only numpy.
platforms=$(seq -f '--platform=manylinux_2_%g_aarch64' 36 -1 17)
version=$(readlink "$made/usr/bin/python3")
# shellcheck disable=SC2086
"$python" -m pip download -q --only-binary=:all: --no-deps --python-version="${version#python}" $platforms \
	--dest="$work/wheels" "onnxruntime==$release" "numpy>=2"
for wheel in "$work"/wheels/*.whl; do
	"$python" -m zipfile -e "$wheel" "$made/usr/lib/python3/dist-packages"
done

qemu-aarch64-static -cpu cortex-a76 -L "$made" "$made/usr/bin/python3" -I -c "import numpy"
mv "$made" "$root"
echo "Made $root."
