'use strict';
// The table: sorted by its heads, filtered by the fields above it.

function setUpTable() {
  const table = document.getElementById('table');
  if (!table) return;
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = element('button', { type: 'button' }, head.textContent);
    head.replaceChildren(button);
    button.addEventListener('click', () => {
      const direction = head.getAttribute('aria-sort') === 'ascending' ? 'descending' : 'ascending';
      for (const other of heads) other.setAttribute('aria-sort', 'none');
      head.setAttribute('aria-sort', direction);
      body.append(...sorted([...body.rows], column, direction));
    });
  });
  setUpFilters(body);
}

/** Rows by a column; those without a value come last, whichever the direction. */
function sorted(rows, column, direction) {
  const sign = direction === 'ascending' ? 1 : -1;
  const value = (row) => row.cells[column].dataset.value;
  const known = rows.filter((row) => value(row) !== undefined);
  const compare = column === 0
    ? (a, b) => value(a).localeCompare(value(b))
    : (a, b) => Number(value(a)) - Number(value(b));
  known.sort((a, b) => sign * compare(a, b));
  return [...known, ...rows.filter((row) => value(row) === undefined)];
}

function setUpFilters(body) {
  const name = document.getElementById('filter-name');
  const workers = document.getElementById('filter-workers');
  const whole = document.getElementById('filter-whole');
  const count = document.getElementById('filter-count');
  const apply = () => {
    const words = name.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of body.rows) {
      const text = row.cells[0].dataset.value.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word)) ||
        (workers.value !== '' && row.dataset.workers !== workers.value) ||
        (whole.checked && row.dataset.whole !== 'true');
      if (!row.hidden) shown += 1;
    }
    count.textContent = `${shown} of ${body.rows.length} cells`;
  };
  for (const field of [name, workers, whole]) field.addEventListener('input', apply);
  apply();
}
