/** What each shell is told so that it asks us: it hands over the words typed and gets those that fit. */

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/**
 * bash cuts words at : and = (COMP_WORDBREAKS) and replaces only what stands behind the last of them;
 * so the line is cut up here, and what stands before is taken off what is offered.
 */
const bash = `# gatehouse completion bash
_gatehouse() {
  local IFS=$' \\t\\n' line="\${COMP_LINE:0:COMP_POINT}" words current before word
  read -ra words <<< "$line"
  [[ "$line" == *[[:space:]] ]] && words+=("")
  current="\${words[\${#words[@]}-1]}"
  before="\${current%"\${current##*[:=]}"}"
  COMPREPLY=()
  while IFS=$'\\t' read -r word _; do
    case "$word" in
      :files | :folders)
        compopt -o filenames 2>/dev/null
        while IFS= read -r word; do COMPREPLY+=("$word"); done \\
          < <(compgen "$([[ $word == :files ]] && echo -f || echo -d)" -- "\${current##*[:=]}")
        ;;
      *) COMPREPLY+=("\${word#"$before"}") ;;
    esac
  done < <("\${words[0]}" complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -F _gatehouse gatehouse
`;

const zsh = `#compdef gatehouse
# gatehouse completion zsh
_gatehouse() {
  local -a found
  local line word says
  while IFS= read -r line; do
    word="\${line%%$'\\t'*}"
    case "$word" in
      :files) _files ;;
      :folders) _files -/ ;;
      *)
        says="\${line#"$word"}"
        says="\${says#$'\\t'}"
        found+=("\${word//:/\\\\:}\${says:+:$says}")
        ;;
    esac
  done < <("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  (( \${#found} )) && _describe -V gatehouse found
}
if [[ "$funcstack[1]" == _gatehouse ]]; then
  _gatehouse "$@"
else
  compdef _gatehouse gatehouse
fi
`;

const fish = `# gatehouse completion fish
function __gatehouse_complete
  set -l words (commandline -opc) (commandline -ct)
  for line in ($words[1] complete -- $words[2..-1] 2>/dev/null)
    switch $line
      case ':files'
        __fish_complete_path (commandline -ct)
      case ':folders'
        __fish_complete_directories (commandline -ct)
      case '*'
        printf '%s\\n' $line
    end
  end
end
complete -c gatehouse -k -f -a '(__gatehouse_complete)'
`;

export const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };
