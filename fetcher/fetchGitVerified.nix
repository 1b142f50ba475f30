# fetchGitVerified, with nixpkgs: `pkgs.callPackage ./fetchGitVerified.nix { gitverify = …; }`.
{
  lib,
  stdenvNoCC,
  cacert,
  gitMinimal,
  gitverify,
}:

let
  build =
    {
      name,
      command,
      environment,
      fixed ? null,
    }:
    stdenvNoCC.mkDerivation (
      environment
      // {
        inherit name;
        nativeBuildInputs = [ gitverify ] ++ lib.optionals (fixed != null) [ gitMinimal ];
        dontUnpack = true;
        dontConfigure = true;
        dontBuild = true;
        # What was verified is handed on as it is.
        dontFixup = true;
        installPhase = ''
          runHook preInstall
          ${command}
          runHook postInstall
        '';
        preferLocalBuild = true;
      }
      // lib.optionalAttrs (fixed == null) {
        # Another machine's word that this tree was verified is not taken.
        allowSubstitutes = false;
      }
      // lib.optionalAttrs (fixed != null) {
        outputHash = fixed;
        outputHashAlgo = null;
        outputHashMode = "recursive";
        GIT_SSL_CAINFO = "${cacert}/etc/ssl/certs/ca-bundle.crt";
        impureEnvVars = lib.fetchers.proxyImpureEnvVars ++ [ "GIT_PROXY_COMMAND" ];
      }
    );
in
import ./stages.nix { inherit build; }
