import { runNode } from '../node/node-program.js';

process.exitCode = await runNode(process.argv.slice(2), process.env);
