# bash takes a colon and an equals sign for the end of a word. What they split is joined before blinkctl is asked, and what
# stands before the last of them is taken off what it offers, as bash replaces the rest alone.
_blinkctl() {
    local -a words=()
    local word joins=false
    for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        if ((${#words[@]} > 1)) && { $joins || [[ $word == [:=]* ]]; }; then
            words[${#words[@]}-1]+=$word
        else
            words+=("$word")
        fi
        joins=false
        [[ $word != *[:=] ]] || joins=true
    done
    local -a COMP_WORDS=("${words[@]}")
    local COMP_CWORD=$((${#words[@]} - 1))
    local typed=${words[COMP_CWORD]}
    _clap_complete_blinkctl "$1" "$typed" "$3"
    local before=${typed%"${typed##*[:=]}"}
    COMPREPLY=("${COMPREPLY[@]#"$before"}")
}
complete -o nospace -o bashdefault -o nosort -F _blinkctl blinkctl 2>/dev/null ||
    complete -o nospace -o bashdefault -F _blinkctl blinkctl
