/** Markdown for generated pages: tables, code spans and the parts between markers. */

/** A table; `|` in a cell is escaped, an empty cell stays empty. */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  const lines = [line(columns), `|${' --- |'.repeat(columns.length)}`, ...rows.map(line)];
  return `${lines.join('\n')}\n`;
}

/** Text as code; nothing for nothing. */
export function code(text: string): string {
  if (text === '') return '';
  return text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``;
}

/** The line that says where a page comes from. */
export function written(from: string): string {
  return `<!-- Written by "npm run generate" from ${from}; change it there. -->\n`;
}

/**
 * Replace what stands between `<!-- generated: NAME -->` and `<!-- end -->`.
 * @throws Error where the text has no such marker, or a marker that nothing fills
 */
export function filled(text: string, parts: Readonly<Record<string, string>>): string {
  const seen = new Set<string>();
  const result = text.replace(
    /(<!-- generated: ([\w-]+) -->\n)[^]*?(<!-- end -->)/g,
    (_, open: string, name: string, close: string) => {
      const part = parts[name];
      if (part === undefined) throw new Error(`nothing fills the marker "${name}"`);
      seen.add(name);
      return `${open}\n${part}\n${close}`;
    },
  );
  const missing = Object.keys(parts).filter((name) => !seen.has(name));
  if (missing.length > 0) throw new Error(`the text has no marker for ${missing.join(', ')}`);
  return result;
}
