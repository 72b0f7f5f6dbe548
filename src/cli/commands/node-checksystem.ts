import { type Command, textOption } from '../command.js';

export const nodeChecksystem: Command = {
  name: 'node checksystem',
  help: 'check whether this host can do what Calico needs: kernel, modules, programs',
  options: [
    { flags: '-f, --kernel-config <file>', help: "judge this kernel configuration in place of the running kernel's" },
  ],
  examples: [
    ['node checksystem', 'this host, as root'],
    ['node checksystem --kernel-config /boot/config-6.1.0', 'a kernel that does not run yet'],
  ],
  usesDatastore: false,
  async handler(call) {
    if (process.geteuid?.() !== 0) return { errors: ['Need super user privileges: Operation not permitted'] };
    const { checkSystem } = await import('../host/check-system.js');
    return checkSystem({ kernelConfig: textOption(call, 'kernelConfig') });
  },
};
