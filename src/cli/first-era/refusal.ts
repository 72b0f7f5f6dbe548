import { CalicoError } from '../../base/errors.js';

/** What is stored does not allow what was asked; nothing was changed. */
export class Refusal extends CalicoError {
  constructor(message: string, hint?: string) {
    super('ERR_CALI_CLI_USAGE', message, hint === undefined ? {} : { hint });
  }
}
