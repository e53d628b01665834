'use strict';
// What the page does when it is opened: the legend, the plots, the table, the theme.

const data = JSON.parse(document.getElementById('data').textContent);
const shown = new Set(data.series.keys());

/** Plots of one of a cell's figures against workers. */
const OVER_WORKERS = {
  runtime: {
    label: 'Runtime against workers',
    y: { spacing: 'log', names: secondsNames },
    bounds: data.bounds,
  },
  gap: {
    label: 'Gap to the lower bound against workers',
    y: { spacing: 'linear', names: percentNames },
    dodge: true,
    onSpacing(spacing) {
      document.getElementById('gap-reading').textContent =
        `how far above the lower bound${spacing === 'root' ? ', square-root scale' : ''}`;
    },
  },
  cpu: { label: 'CPU time against workers', y: { spacing: 'log', names: secondsNames } },
  memory: { label: 'Memory against workers', y: { spacing: 'log', names: mebibytesNames } },
};

function counted(number, noun) {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function overWorkers(id) {
  const all = data.series.flatMap((series) => series.points.map((point) => point.workers));
  const workers = [...new Set(all)].sort((a, b) => a - b);
  const lines = data.series.map((series, row) => ({
    series,
    row,
    points: series.points.filter((point) => point[id]).map((point) => ({
      x: point.workers, facts: point.facts, whole: point.whole, ...point[id],
    })),
  }));
  return {
    dodge: false,
    bounds: [],
    ...OVER_WORKERS[id],
    x: { name: 'workers', spacing: 'log', ticks: workers.map((count) => [count, String(count)]) },
    lines: lines.filter((line) => shown.has(line.row) && line.points.length),
    heading(count) {
      const bounds = data.bounds.flatMap((bound) => bound.points
        .filter(([at]) => at === count)
        .map(([, , text]) => `${bound.name} ${text}`));
      return [counted(count, 'worker'), ...bounds].join(' · ');
    },
  };
}

function drawAll() {
  hideTooltip();
  for (const id of Object.keys(OVER_WORKERS)) {
    const figure = document.getElementById(id);
    const known = data.series.some((series) => series.points.some((point) => point[id]));
    figure.hidden = !known;
    if (known) drawLines(figure.querySelector('.plot'), overWorkers(id));
  }
}

function setUpLegend() {
  const legend = document.getElementById('legend');
  const buttons = data.series.map((series, row) => {
    const button = element('button',
      { type: 'button', 'aria-pressed': 'true', 'data-row': row, title: series.name },
      swatch(series), element('bdi', {}, series.name));
    button.addEventListener('click', () => {
      if (!shown.delete(row)) shown.add(row);
      update();
    });
    for (const [event, lit] of [['pointerenter', row], ['focus', row], ['pointerleave', null], ['blur', null]]) {
      button.addEventListener(event, () => light(lit));
    }
    return button;
  });
  const update = () => {
    buttons.forEach((button, row) => button.setAttribute('aria-pressed', String(shown.has(row))));
    drawAll();
  };
  const every = (text, rows) => {
    const button = element('button', { type: 'button', class: 'plain' }, text);
    button.addEventListener('click', () => {
      shown.clear();
      for (const row of rows) shown.add(row);
      update();
    });
    return button;
  };
  legend.append(...buttons);
  if (data.bounds.length) {
    const line = shape('line', { x1: 1, x2: 27, y1: 7, y2: 7, class: 'bound' });
    legend.append(element('span', { class: 'key' },
      shape('svg', { width: 28, height: 14, 'aria-hidden': 'true' }, line), data.bounds[0].name));
  }
  legend.append(every('all', data.series.keys()), every('none', []));
}

/** Lets one series stand out among the others; null for all alike. */
function light(row) {
  for (const group of document.querySelectorAll('[data-series]')) {
    const other = row !== null && shown.has(row) && group.dataset.series !== String(row);
    group.classList.toggle('dim', other);
  }
}

function setUpTheme() {
  const button = document.getElementById('theme');
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const isDark = () => (document.documentElement.dataset.theme || (dark.matches ? 'dark' : 'light')) === 'dark';
  const name = () => {
    button.textContent = isDark() ? 'Light' : 'Dark';
    button.setAttribute('aria-label', `Change to ${isDark() ? 'light' : 'dark'} colours`);
  };
  button.addEventListener('click', () => {
    document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
    name();
  });
  dark.addEventListener('change', name);
  name();
}

for (const node of document.querySelectorAll('.script')) node.hidden = false;
setUpTheme();
setUpTable();
if (data.series.length) {
  setUpLegend();
  drawAll();
  let width = window.innerWidth;
  window.addEventListener('resize', () => {
    // A phone's address bar changes the height alone.
    if (window.innerWidth !== width) drawAll();
    width = window.innerWidth;
  });
}
