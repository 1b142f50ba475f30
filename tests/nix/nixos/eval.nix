# What services.gitverify becomes: `settings` is a module (a path, or JSON as text).
{
  lib ? import ./lib.nix,
  module ? ../../../fetcher/module.nix,
  settings,
}:

let
  package = outPath: {
    type = "derivation";
    name = baseNameOf outPath;
    inherit outPath;
  };
  pkgs = {
    gitMinimal = package "/git";
    openssh = package "/openssh";
    coreutils = package "/usr";
    util-linux = package "/usr";
    callPackage = _: _: package "/gitverify";
  };
  found = lib.evalModules {
    modules = [
      module
      ./options.nix
      settings
    ];
    specialArgs = { inherit pkgs; };
  };
  inherit (found) config;
  failed = builtins.filter (each: !each.assertion) config.assertions;
in
{
  inherit config;
  # What a user sees: units, unless an assertion stops them.
  system =
    if failed != [ ] then
      throw "Failed assertions: ${builtins.concatStringsSep "; " (map (each: each.message) failed)}"
    else
      {
        inherit (config.systemd) services timers;
        inherit (config.users) users groups;
        inherit (config.system) autoUpgrade;
        inherit (config) warnings;
        git = config.programs.git;
        packages = config.environment.systemPackages;
        mirrors = builtins.mapAttrs (_: each: {
          inherit (each) directory flake;
        }) config.services.gitverify.repositories;
      };
  options =
    let
      of =
        prefix: tree:
        builtins.concatMap (
          name:
          let
            option = tree.${name};
            here = prefix ++ [ name ];
          in
          if builtins.substring 0 1 name == "_" then
            [ ]
          else if (option._type or "") == "option" then
            (
              if option.internal or false then
                [ ]
              else
                [
                  {
                    name = builtins.concatStringsSep "." here;
                    inherit (option) description;
                    required = !(option ? default);
                    default = option.defaultText.text or (if option ? default then builtins.toJSON option.default else "");
                    readOnly = option.readOnly or false;
                  }
                ]
            )
            ++ of (here ++ [ "<name>" ]) (option.type.getSubOptions [ ])
          else
            of here option
        ) (builtins.attrNames tree);
    in
    of [ ] found.options.services.gitverify;
}
