#!/usr/bin/env bash
# Tag a stand-in for python:3.13-slim where no image registry can be reached: Debian with the Python of this machine.
#
#   apt-get install -y --no-install-recommends buildah debootstrap
#   tests/image/base.sh [FOLDER]
#
# FOLDER keeps the Debian for the next time. The default is ~/.cache/modelmesh-image-base.
set -euo pipefail

folder="${1:-$HOME/.cache/modelmesh-image-base}"
root="$folder/root"
python="${PYTHON:-python3}"
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot

mkdir -p "$folder"
if [ ! -e "$root/usr/bin/env" ]; then
  debootstrap --variant=minbase trixie "$root"
fi

prefix=$("$python" -c 'import sys; print(sys.base_prefix)')
name=$("$python" -c 'import sys; print(f"python{sys.version_info[0]}.{sys.version_info[1]}")')
mkdir -p "$root/usr/local"
cp -a "$prefix/bin" "$prefix/include" "$root/usr/local/"
mkdir -p "$root/usr/local/lib"
cp -a "$prefix/lib/$name" "$root/usr/local/lib/"
cp -a "$prefix"/lib/libpython* "$root/usr/local/lib/"
rm -rf "$root/usr/local/lib/$name/site-packages" "$root/usr/local/lib/$name/test"
mkdir -p "$root/usr/local/lib/$name/site-packages"
for library in "$prefix/lib/$name/lib-dynload"/*.so; do ldd "$library"; done | awk '/=> \//{print $3}' | sort -u |
  while read -r file; do
    case "$(basename "$file")" in libc.so* | libm.so* | libpython* | ld-linux* | libpthread* | libdl*) continue ;; esac
    [ -e "$root/usr/lib/x86_64-linux-gnu/$(basename "$file")" ] || cp -L "$file" "$root/usr/local/lib/"
  done
chroot "$root" /sbin/ldconfig

# The certificates of this machine, for a package index behind a proxy with its own authority.
if [ -e /etc/ssl/certs/ca-certificates.crt ]; then
  mkdir -p "$root/etc/ssl/certs"
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n' > "$root/etc/pip.conf"
fi

cat > "$folder/Dockerfile" <<'END'
FROM scratch
COPY root/ /
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
CMD ["python3"]
END
buildah bud --quiet --file "$folder/Dockerfile" --tag docker.io/library/python:3.13-slim "$folder"
