# As much of nixpkgs' lib as fetcher/module.nix needs, module system included, so that tests need no network.
let
  inherit (builtins)
    all
    attrNames
    concatLists
    concatMap
    concatStringsSep
    elem
    filter
    foldl'
    head
    isAttrs
    isFunction
    isList
    isString
    listToAttrs
    ;

  isProperty = kind: value: isAttrs value && value ? _type && value._type == kind;
  shown = concatStringsSep ".";

  # mkMerge and mkIf, one level of them after the other, until what is there is a value.
  discharge =
    value:
    if isProperty "merge" value then
      concatMap discharge value.contents
    else if isProperty "if" value then
      (if value.condition then discharge value.content else [ ])
    else
      [ value ];

  # The same for sets, without asking the conditions: whether a set is there may hang on what another one holds.
  pushDown =
    value:
    if isProperty "merge" value then
      concatMap pushDown value.contents
    else if isProperty "if" value then
      map (lib.mapAttrs (_: lib.mkIf value.condition)) (pushDown value.content)
    else
      [ value ];

  # What has the highest priority (the lowest number) counts.
  strongest =
    values:
    let
      priority = value: if isProperty "override" value then value.priority else 100;
      best = foldl' (least: value: if priority value < least then priority value else least) 10000 values;
      content = value: if isProperty "override" value then value.content else value;
    in
    map content (filter (value: priority value == best) values);

  # mkBefore and mkAfter, of what a list is made of.
  inOrder =
    values:
    let
      place = value: if isProperty "order" value then value.priority else 1000;
      content = value: if isProperty "order" value then value.content else value;
    in
    map content (builtins.sort (one: other: place one < place other) values);

  mergeOption =
    loc: option: values:
    let
      set = inOrder (strongest (concatMap discharge values));
      given = if set == [ ] && option ? default then [ option.default ] else set;
    in
    if option.readOnly or false && set != [ ] then
      throw "The option `${shown loc}' is read-only, but it's set."
    else if given == [ ] then
      throw "The option `${shown loc}' is used but not defined."
    else if !all option.type.check given then
      throw "A definition for option `${shown loc}' is not of type `${option.type.description}'."
    else
      option.type.merge loc given;

  mergeTree =
    loc: options: definitions:
    let
      values = concatMap pushDown definitions;
      unknown = filter (name: !options ? ${name}) (concatMap attrNames values);
    in
    if isProperty "option" options then
      mergeOption loc options definitions
    else if unknown != [ ] then
      throw "The option `${shown (loc ++ [ (head unknown) ])}' does not exist."
    else
      lib.mapAttrs (
        name: option: mergeTree (loc ++ [ name ]) option (concatMap (v: if v ? ${name} then [ v.${name} ] else [ ]) values)
      ) options;

  union =
    one: other:
    other
    // lib.mapAttrs (
      name: value: if other ? ${name} && !isProperty "option" value then union value other.${name} else value
    ) one;

  modulesOf =
    arguments: module:
    let
      read = if isAttrs module || isFunction module then module else import module;
      found = if isFunction read then read arguments else read;
      plain = !(found ? options || found ? config || found ? imports);
      this = {
        options = found.options or { };
        config = if plain then found else found.config or { };
      };
    in
    concatMap (modulesOf arguments) (found.imports or [ ]) ++ [ this ];

  evaluate =
    loc: modules: arguments:
    let
      found = concatMap (modulesOf (arguments // { inherit config lib; })) modules;
      options = foldl' union { } (map (module: module.options) found);
      config = mergeTree loc options (map (module: module.config) found);
    in
    {
      inherit config options;
    };

  type = description: check: {
    inherit description check;
    getSubOptions = _: { };
    merge =
      loc: values:
      if all (value: value == head values) values then
        head values
      else
        throw "The option `${shown loc}' has conflicting definition values.";
  };
  within = loc: name: type: values: mergeOption (loc ++ [ name ]) { inherit type; } values;

  types = {
    str = type "string" isString;
    bool = type "boolean" builtins.isBool;
    package = type "package" (value: isString value || isAttrs value);
    lines = type "lines" isString // {
      merge = _: concatStringsSep "\n";
    };
    unspecified = type "anything" (_: true);
    int = type "integer" builtins.isInt;
    ints.positive = type "positive integer" (value: builtins.isInt value && value > 0);
    enum = values: type "one of ${concatStringsSep ", " values}" (value: elem value values);
    nullOr =
      of:
      type "null or ${of.description}" (value: value == null || of.check value)
      // {
        merge = loc: values: if elem null values then types.str.merge loc values else of.merge loc values;
      };
    listOf =
      of:
      type "list of ${of.description}" isList
      // {
        merge = loc: values: map (value: within loc "*" of [ value ]) (concatLists values);
      };
    attrsOf =
      of:
      type "set of ${of.description}" isAttrs
      // {
        merge =
          loc: values:
          lib.genAttrs (concatMap attrNames values) (
            name: within loc name of (concatMap (v: if v ? ${name} then [ v.${name} ] else [ ]) values)
          );
        getSubOptions = prefix: of.getSubOptions (prefix ++ [ "<name>" ]);
      };
    submodule =
      module:
      type "submodule" (value: isAttrs value || isFunction value)
      // {
        merge = loc: values: (evaluate loc ([ module ] ++ values) { name = lib.last loc; }).config;
        getSubOptions = _: (evaluate [ ] [ module ] { name = "<name>"; }).options;
      };
  };

  lib = {
    inherit types;
    inherit (builtins) mapAttrs;
    evalModules = { modules, specialArgs }: evaluate [ ] modules specialArgs;

    mkOption = attributes: attributes // { _type = "option"; };
    mkEnableOption =
      what:
      lib.mkOption {
        type = types.bool;
        default = false;
        description = "Whether to enable ${what}.";
      };
    mkIf = condition: content: {
      _type = "if";
      inherit condition content;
    };
    mkMerge = contents: {
      _type = "merge";
      inherit contents;
    };
    mkOrder = priority: content: {
      _type = "order";
      inherit priority content;
    };
    mkBefore = lib.mkOrder 500;
    mkAfter = lib.mkOrder 1500;
    mkForce = content: {
      _type = "override";
      priority = 50;
      inherit content;
    };
    literalExpression = text: {
      _type = "literalExpression";
      inherit text;
    };

    inherit (builtins) concatStringsSep;
    concatMapStringsSep =
      separator: f: list:
      concatStringsSep separator (map f list);
    filterAttrs =
      f: set: listToAttrs (map (name: lib.nameValuePair name set.${name}) (filter (name: f name set.${name}) (attrNames set)));
    genAttrs = names: f: listToAttrs (map (name: lib.nameValuePair name (f name)) names);
    hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;
    last = list: builtins.elemAt list (builtins.length list - 1);
    nameValuePair = name: value: { inherit name value; };
    optional = condition: value: if condition then [ value ] else [ ];
    optionalAttrs = condition: set: if condition then set else { };
    removePrefix =
      prefix: text:
      if lib.hasPrefix prefix text then builtins.substring (builtins.stringLength prefix) (-1) text else text;
    splitString = separator: text: filter isString (builtins.split "[${separator}]" text);
    unique = foldl' (known: value: if elem value known then known else known ++ [ value ]) [ ];
  };
in
lib
