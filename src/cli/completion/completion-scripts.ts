/** Asks calicoctl for candidates and hands them to the shell. */
const BASH = String.raw`# Completion of calicoctl for bash. Use it with: source <(calicoctl completion bash)
_calicoctl() {
  local -a words=()
  local index word before= line value lead current
  for ((index = 1; index <= COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    # To bash, = ends a word.
    if ((\${#words[@]} > 0)) && [[ $word == = || $before == = ]]; then
      words[\${#words[@]} - 1]+=$word
    else
      words+=("$word")
    fi
    before=$word
  done
  current=\${words[\${#words[@]} - 1]}
  lead=
  if [[ $current == *=* ]]; then lead=\${current%"\${current##*=}"}; fi
  COMPREPLY=()
  while IFS= read -r line; do
    value=\${line%%$'\t'*}
    if [[ $value == :files ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "\${current#"$lead"}")
    else
      COMPREPLY+=("\${value#"$lead"}")
      if [[ $value == *= ]]; then compopt -o nospace 2>/dev/null; fi
    fi
  done < <("\${COMP_WORDS[0]}" __complete -- "\${words[@]}" 2>/dev/null)
}
complete -F _calicoctl calicoctl
`;

const ZSH = String.raw`#compdef calicoctl
# Completion of calicoctl for zsh. Use it with: source <(calicoctl completion zsh)
# or keep it as _calicoctl in a folder of $fpath.
_calicoctl() {
  local -a found values
  local line value help
  found=("\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  for line in "\${found[@]}"; do
    value=\${line%%$'\t'*}
    help=\${line#*$'\t'}
    if [[ $value == :files ]]; then
      _files
      return
    fi
    if [[ -n $value ]]; then
      if [[ $help == $line ]]; then help=; fi
      values+=("\${value//:/\\:}\${help:+:$help}")
    fi
  done
  _describe calicoctl values
}
if [[ $funcstack[1] == _calicoctl ]]; then
  _calicoctl "$@"
else
  compdef _calicoctl calicoctl
fi
`;

const FISH = String.raw`# Completion of calicoctl for fish. Use it with: calicoctl completion fish | source
function __calicoctl_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l found ($words[1] __complete -- $words[2..-1] 2>/dev/null)
    if contains -- :files $found
        __fish_complete_path (commandline -ct)
    else
        printf '%s\n' $found
    end
end
complete -c calicoctl -f -a '(__calicoctl_complete)'
`;

function script(text: string): string {
  // A raw template cannot hold the shells' own substitutions as they are.
  return text.replaceAll(String.raw`\${`, '${');
}

/** Shell → the script that teaches it to complete calicoctl. */
export const COMPLETION_SCRIPTS: ReadonlyMap<string, string> = new Map([
  ['bash', script(BASH)],
  ['zsh', script(ZSH)],
  ['fish', script(FISH)],
]);
