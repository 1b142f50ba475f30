"""Hashes that Nix 2.8.0 computed: ``nix-hash --type sha256 --base32 PATH``, ``nix hash path PATH``.

``python -m tests.nix.vectors`` prints them anew.
"""

import subprocess
import tempfile
from pathlib import Path

from tests.nix.nixtrees import Executable, Link, nix_hash, write

TREES = {
    "empty file": b"",
    "file": b"hello\n",
    "file of eight bytes": b"12345678",
    "executable file": Executable(b"#!/bin/sh\n"),
    "symlink": Link(b"../away"),
    "empty directory": {},
    "all kinds": {
        b"README": b"hello\n",
        b"bin": {b"run": Executable(b"#!/bin/sh\nexit 0\n"), b"link": Link(b"run")},
        b"empty": b"",
        b"submodule": {},
        b"absolute": Link(b"/etc/passwd"),
    },
    "order: git sorts a directory as name/": {b"a": {b"x": b"1"}, b"a-b": b"2", b"a.b": b"3", b"a0": b"4"},
    "order: bytes": {b"B": b"1", b"a": b"2", "ä".encode(): b"3", b"\xff": b"4", b" ": b"5", b"~": b"6"},
    "deep": {b"a": {b"b": {b"c": {b"d": {b"e": {b"f": b"deep\n"}}}}}},
    "large": {b"large": bytes(range(256)) * 4096, b"next": bytes(range(256)) * 16 + b"x"},
}

HASHES = {
    "empty file": (
        "sha256-d6xi4mKdjkX2JFicDIv5niSzpyI0m/Hnm8GGAIU04kY=",
        "0ip26j2h11n1kgkz36rl4akv694yz65hr72q4kv4b3lxcbi65b3p",
    ),
    "file": (
        "sha256-HDfQGvQL4ugGkd48w99EN3ppmvuxfGjwgJZLL9Bx/BM=",
        "04zwf782yjwnh3q6hz5izfd6jyip8kgw6g6yj43fiqhbyhdd0dqw",
    ),
    "file of eight bytes": (
        "sha256-ItYyI0JkR+ZKog121Qaz4GKi0kK7eXU22/PuaBvj9Tw=",
        "0g7mwcdnivpkvcv7aydv8b9a4qp0nc3daxhdl95fciv488ik5mi2",
    ),
    "executable file": (
        "sha256-YoPBZoJg+QPRqJXAzWuCL6S2h2K7CxfO3vLTnZfiZVQ=",
        "0m35wabrvlzjvv71f2xvca3vd91gh9mwvh4mm38h7yb0h9kc30v2",
    ),
    "symlink": (
        "sha256-Td/hAYg9rkAFKY7IK0xVU6wGz+7IdpcbfoNbEHmnJwo=",
        "02i7lxwi0nw3gqdrfxn8xv7hdb2kam62pj4f542l1bixi00y3psd",
    ),
    "empty directory": (
        "sha256-pQpattmS9VmO3ZIQUFn66az8GSmB4IvYhTTCFn6SUmo=",
        "0sjjj9z1dhilhpc8pq4154czrb79z9cm044jvn75kxcjv6v5l2m5",
    ),
    "all kinds": (
        "sha256-Gj4FtqVX3hHHpWITXTjCkvic1Xw/BP3VIy+MTn9L6OM=",
        "1qz89dzlx31g4gazs11zgkarry4jq8w5s4v2lp3i3pjplnv0aghs",
    ),
    "order: git sorts a directory as name/": (
        "sha256-XXFVPDBxRcWZP6vuCcHnyw/ewyMT+FS4exnQVVtalQ0=",
        "03cmb9dmbl0rgfw59y0k4g1xw3ybwz0hkvmb7ycwaibi60y5awax",
    ),
    "order: bytes": (
        "sha256-XcNw3183jBD9SowN2B7Yw9dNeRNTtj+riBuPGk96L54=",
        "17igg97im3qvi2mkzdjk2dwlvmy3v0gdh3cc9byi131pbzgp1hsx",
    ),
    "deep": (
        "sha256-ETdOToxohvZ0ZAph0VA0ESx4JSsXGlrwskPNU/ecngs=",
        "02wykkvm7ka3nbq5l6hp5cjphb0i6i8d2q8acisgd1k8ii74wdqi",
    ),
    "large": (
        "sha256-Q5pZjE0AbTPQuYjncPdV18KK7C5HZFWuBiGCJ3iurRk=",
        "06ddmrw2g0i10sp5ar275vn8mhnpapvp1rw8p7836v809n65k6j3",
    ),
}

VECTORS = {name: (tree, *HASHES[name]) for name, tree in TREES.items()}


def main() -> None:
    for name, tree in TREES.items():
        with tempfile.TemporaryDirectory() as place:
            path = Path(place, "t")
            write(tree, path)
            command = ["nix", "--extra-experimental-features", "nix-command", "hash", "path", path]
            sri = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
            print(f'    "{name}": ("{sri}", "{nix_hash(path, "--base32")}"),')


if __name__ == "__main__":
    main()
