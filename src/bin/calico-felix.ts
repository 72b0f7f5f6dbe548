import { runFelix } from '../felix/felix-program.js';

process.exitCode = await runFelix(process.argv.slice(2), process.env);
