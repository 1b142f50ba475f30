# gitverify itself: `pkgs.callPackage ./fetcher/package.nix { }`.
{
  lib,
  python3Packages,
  gitMinimal,
}:

python3Packages.buildPythonApplication rec {
  pname = "gitverify";
  version = lib.head (builtins.match ".*__version__ = \"([^\"]+)\".*" (builtins.readFile ../gitverify/__init__.py));
  pyproject = true;

  # Only what is built from, so that a change of the documentation builds nothing again.
  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../LICENSE
      ../README.md
      ../pyproject.toml
      (lib.fileset.fileFilter (file: file.hasExt "py" || file.hasExt "json" || file.name == "py.typed") ../gitverify)
    ];
  };

  build-system = [ python3Packages.setuptools ];
  dependencies = [
    python3Packages.click
    python3Packages.cryptography
    python3Packages.pygit2
    python3Packages.python-gnupg
    python3Packages.pyyaml
    python3Packages.sshpubkeys
  ]
  ++ optional-dependencies.serve;
  # All of it: the NixOS module has a gateway.
  optional-dependencies.serve = [
    python3Packages.h11
    python3Packages.uvicorn
  ];

  # What fetches runs git. A verdict never does.
  makeWrapperArgs = [
    "--suffix"
    "PATH"
    ":"
    (lib.makeBinPath [ gitMinimal ])
  ];

  # The tests want gpg, ssh-keygen and some minutes; they run in CI.
  doCheck = false;
  pythonImportsCheck = [ "gitverify.verify" ];

  meta = {
    description = "Verify that every commit since a trusted introduction was signed by someone its parent's policy lists";
    license = lib.licenses.mit;
    mainProgram = "gitverify";
    platforms = lib.platforms.unix;
  };
}
