/* global document, searchIndex */
/* The search: every word must begin a word of the section; headings count more than text. */
(() => {
  const root = document.currentScript.dataset.root;
  const field = document.getElementById('search');
  const results = document.getElementById('results');
  const most = 20;

  const find = (query) => {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length === 0) return [];
    const found = [];
    for (const [page, title, address, text] of searchIndex) {
      const head = `${page} ${title}`.toLowerCase();
      const body = text.toLowerCase();
      let score = 0;
      for (const word of words) {
        if (title.toLowerCase() === query.toLowerCase()) score += 20;
        if (begins(head, word)) score += 10;
        else if (begins(body, word)) score += 1;
        else {
          score = -1;
          break;
        }
      }
      if (score > 0) found.push({ page, title, address, text, score });
    }
    return found.sort((a, b) => b.score - a.score).slice(0, most);
  };
  const begins = (text, word) => {
    for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
      if (at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1])) return true;
    }
    return false;
  };

  const show = () => {
    const query = field.value.trim();
    results.replaceChildren();
    results.hidden = query === '';
    if (query === '') return;
    const found = find(query);
    if (found.length === 0) results.textContent = 'Nothing is found.';
    for (const { page, title, address, text } of found) {
      const link = document.createElement('a');
      link.href = `${root}/${address}`;
      const name = document.createElement('strong');
      name.textContent = title === page ? title : `${page} › ${title}`;
      const first = query.toLowerCase().split(/\s+/)[0];
      const at = Math.max(0, text.toLowerCase().indexOf(first) - 40);
      const line = document.createElement('span');
      line.textContent = `${at > 0 ? '… ' : ''}${text.slice(at, at + 160)}`;
      link.append(name, line);
      link.addEventListener('click', () => {
        results.hidden = true;
        field.value = '';
      });
      results.append(link);
    }
  };
  field.addEventListener('input', show);
  document.addEventListener('keydown', (event) => {
    if (event.key === '/' && document.activeElement !== field) {
      event.preventDefault();
      field.focus();
    } else if (event.key === 'Escape') {
      field.value = '';
      show();
    } else if (event.key === 'Enter' && document.activeElement === field) {
      results.querySelector('a')?.click();
    }
  });
})();
