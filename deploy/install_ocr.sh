#!/bin/sh
# Tesseract with Portuguese and English reads images and scanned pages. AION works without it and then says so.
if command -v tesseract >/dev/null && tesseract --list-langs 2>/dev/null | grep -qx por; then
    exit 0
fi
packages="tesseract-ocr tesseract-ocr-por tesseract-ocr-eng"
missing="Tesseract with 'por' is not installed: images and scanned pages will be quarantined."
if ! command -v apt-get >/dev/null; then
    echo "$missing Install it with your package manager (macOS: brew install tesseract tesseract-lang)."
    exit 0
fi
if [ "$(id -u)" = 0 ]; then
    as_root=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root="sudo"
else
    echo "$missing As root: apt-get install $packages"
    exit 0
fi
echo "Installing Tesseract (por, eng) …"
$as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq $packages >/dev/null || echo "$missing"
