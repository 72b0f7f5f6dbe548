import { suggestion } from '../../api/issues.js';
import { CalicoError } from '../../base/errors.js';
import type { Command } from '../command.js';

export const completion: Command = {
  name: 'completion',
  help: 'print the script that lets a shell complete calicoctl: commands, flags, kinds, names of resources',
  arguments: ['<shell>'],
  options: [],
  details: 'kubectl completes "kubectl calico" by itself where kubectl_complete-calico lies beside kubectl-calico.',
  examples: [
    ['completion bash > /etc/bash_completion.d/calicoctl', 'bash, for everybody on this host'],
    ['completion zsh > "${fpath[1]}/_calicoctl"', 'zsh'],
    ['completion fish > ~/.config/fish/completions/calicoctl.fish', 'fish'],
  ],
  usesDatastore: false,
  async handler({ arguments: [shell = ''] }) {
    const { COMPLETION_SCRIPTS } = await import('../completion/completion-scripts.js');
    const text = COMPLETION_SCRIPTS.get(shell);
    if (text !== undefined) return { output: [{ type: 'text', text }] };
    const shells = [...COMPLETION_SCRIPTS.keys()];
    const { hint = `write one of ${shells.join(', ')}` } = suggestion(shell, shells);
    throw new CalicoError('ERR_CALI_CLI_USAGE', `there is no completion for the shell "${shell}"`, { hint });
  },
};
