/** What `gatehouse … --help` prints, for every command of the tree. */
import { main } from '../../bin/cli/main.ts';

/**
 * The help of every command, in the order of the tree, by its name (`gatehouse`, `gatehouse sim gp`).
 * The commands are found as a user finds them: each help page lists what is below it.
 */
export async function helpOfAll(): Promise<Map<string, string>> {
  const pages = new Map<string, string>();
  const visit = async (path: readonly string[]): Promise<void> => {
    const text = await helpOf(path);
    pages.set(['gatehouse', ...path].join(' '), text);
    for (const name of below(text)) await visit([...path, name]);
  };
  await visit([]);
  return pages;
}

/** The names under "Commands:", `help` aside. */
function below(help: string): string[] {
  const section = help.split('\n\n').find((block) => block.startsWith('Commands:')) ?? '';
  return [...section.matchAll(/^ {2}([a-z][\w-]*)/gm)]
    .map(([, name]) => name ?? '')
    .filter((name) => name !== 'help');
}

/** At 80 columns, whatever the terminal; standard output and the exit code are put back as they were. */
async function helpOf(path: readonly string[]): Promise<string> {
  const { exitCode, stdout } = process;
  const { write, columns } = stdout;
  let text = '';
  stdout.columns = 80;
  stdout.write = ((chunk: string) => {
    text += chunk;
    return true;
  }) as typeof stdout.write;
  try {
    await main(['node', 'gatehouse', ...path, '--help']);
  } finally {
    stdout.write = write;
    stdout.columns = columns;
    process.exitCode = exitCode;
  }
  return text;
}
