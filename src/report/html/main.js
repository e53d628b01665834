'use strict';
// What the page does when it is opened: the legend, the plots, the table, the theme.

const data = JSON.parse(document.getElementById('data').textContent);
const shown = new Set(data.series.keys());

/** Draws a plot where there is data for it; else its frame goes. */
function fill(id, known, draw) {
  const figure = document.getElementById(id);
  figure.hidden = !known;
  if (known) draw(figure.querySelector('.plot'));
}

function drawAll() {
  hideTooltip();
  const cells = data.series.flatMap((series) => series.points);
  for (const id of Object.keys(OVER_WORKERS)) {
    fill(id, cells.some((cell) => cell[id]), (host) => drawLines(host, overWorkers(data, shown, id)));
  }
  const workers = (id) => Number(document.getElementById(id).value);
  fill('latency', cells.some((cell) => cell.latencies.length), (host) =>
    drawLines(host, latencyPlot(data, shown, workers('latency-workers'))));
  fill('split', cells.some((cell) => cell.split), (host) => {
    const cold = document.getElementById('split-cold').checked;
    drawBars(host, splitPlot(data, shown, workers('split-workers'), cold));
    document.getElementById('split-keys').replaceChildren(...splitKeys(data, cold));
  });
  fill('timeline', data.timelines.length > 0, (host) => {
    const timeline = data.timelines[workers('timeline-cell')];
    drawBars(host, timelinePlot(timeline));
    document.getElementById('timeline-reading').textContent =
      ['requests by worker, of a median sample', timeline.remark].filter(Boolean).join('; ');
  });
}

/** What the plots of one worker count, or of one cell, can be set to. */
function setUpChoices() {
  const counts = distinct(data.series.flatMap((series) => series.points.map((cell) => cell.workers)));
  const first = counts.includes(data.workers) ? data.workers : counts[counts.length - 1];
  for (const id of ['latency-workers', 'split-workers']) {
    const select = document.getElementById(id);
    for (const count of counts) select.append(element('option', {}, String(count)));
    select.value = String(first);
    select.addEventListener('change', drawAll);
  }
  const select = document.getElementById('timeline-cell');
  data.timelines.forEach((timeline, number) => {
    select.append(element('option', { value: number }, timeline.name));
  });
  select.addEventListener('change', drawAll);
  const split = document.getElementById('split');
  const cold = element('input', { type: 'checkbox', id: 'split-cold' });
  cold.addEventListener('change', drawAll);
  split.querySelector('.choice').after(
    element('label', { class: 'choice' }, cold, ' with building (cold runtime)'));
  split.append(element('p', { class: 'keys', id: 'split-keys' }));
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
  setUpChoices();
  drawAll();
  let width = window.innerWidth;
  window.addEventListener('resize', () => {
    // A phone's address bar changes the height alone.
    if (window.innerWidth !== width) drawAll();
    width = window.innerWidth;
  });
}
