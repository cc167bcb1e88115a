#!/bin/sh
# Renders the drawings in this folder to what the platforms want. Needs rsvg-convert, and `npm ci` in ui/.
set -eu
cd "$(dirname "$0")"
for drawing in tray/*.svg; do
    # Twice the 22 pixels that panels and menu bars show.
    rsvg-convert --width 44 --height 44 --output "${drawing%.svg}.png" "$drawing"
done
rendered=$(mktemp -d)
trap 'rm -r "$rendered"' EXIT
rsvg-convert --width 1024 --height 1024 --output "$rendered/app.png" icon.svg
(cd ../ui && npx tauri icon --output "$rendered" "$rendered/app.png")
for icon in 32x32.png 128x128.png 128x128@2x.png icon.png icon.ico icon.icns; do
    cp "$rendered/$icon" .
done
