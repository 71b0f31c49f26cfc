# zsh reads this file at the first completion and wants that one answered too.
if [[ ${funcstack[1]} == _blinkctl ]]; then
    _clap_dynamic_completer_blinkctl "$@"
fi
