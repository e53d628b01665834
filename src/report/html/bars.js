'use strict';
// A plot of bars along a common axis of time: parts of a gap, requests of workers.

/**
 * Draws a plot into its place. The plot:
 *   label   what it shows, for those who do not see it
 *   name    the axis
 *   high    where the axis ends; low where it starts, 0 or less
 *   height  of a row in pixels
 *   rows    [{ name, full, bars: [{ from, to, style, class, content(), label }] }]
 */
function drawBars(host, plot) {
  const width = Math.max(260, host.clientWidth);
  const gutter = Math.min(width * 0.32,
    12 + Math.max(0, ...plot.rows.map((row) => textWidth(row.name))));
  const bottom = 6 + plot.rows.length * plot.height;
  const height = Math.round(bottom + 44);
  const svg = shape('svg', {
    width, height, viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': plot.label,
  });
  host.replaceChildren(svg);
  if (!plot.rows.length) {
    svg.append(shape('text', { x: width / 2, y: 20, 'text-anchor': 'middle' },
      'no line is switched on that has values here'));
    return;
  }
  const x = makeScale('linear', plot.low, plot.high, gutter, width - 22);
  timeAxis(svg, plot, x, { left: gutter, right: width - 6, bottom });
  const targets = [];
  let free = -Infinity;
  plot.rows.forEach((row, number) => {
    const top = 6 + number * plot.height;
    const middle = top + plot.height / 2;
    // The names that have room.
    if (middle - free >= 13) {
      free = middle;
      const name = shape('text', { x: gutter - 6, y: middle + 4, 'text-anchor': 'end' },
        fitted(row.name, gutter - 10));
      name.append(shape('title', {}, row.full || row.name));
      svg.append(name);
    }
    const inset = plot.height > 16 ? 4 : plot.height > 5 ? 1 : 0;
    for (const bar of row.bars) {
      const [from, to] = [x.place(bar.from), x.place(bar.to)];
      const box = { left: Math.min(from, to), right: Math.max(from, to) };
      const node = shape('rect', {
        role: 'img',
        class: `bar ${bar.class || ''}`,
        style: bar.style,
        x: px(box.left),
        width: Math.max(0.6, px(box.right - box.left)),
        y: px(top + inset),
        height: px(plot.height - 2 * inset),
        'aria-label': `${row.full || row.name}: ${bar.label}`,
      });
      svg.append(node);
      targets.push({
        node, row: number, ...box, top: top + inset, bottom: top + plot.height - inset,
        content: bar.content,
      });
    }
  });
  makeReachable(svg, targets, 20);
}

function timeAxis(svg, plot, x, { left, right, bottom }) {
  const ticks = x.ticks(62);
  const names = secondsNames(ticks);
  ticks.forEach((tick, i) => {
    const at = px(x.place(tick));
    svg.append(
      shape('line', { x1: at, x2: at, y1: 6, y2: bottom + 4, class: tick === 0 ? 'tick' : 'grid' }),
      shape('text', { x: at, y: bottom + 18, 'text-anchor': 'middle' }, names[i]));
  });
  svg.append(shape('text', { x: (left + right) / 2, y: bottom + 38, 'text-anchor': 'middle' },
    plot.name));
}

/** A text, or as much of its beginning as has room. */
function fitted(text, room) {
  if (textWidth(text) <= room) return text;
  let kept = [...text];
  while (kept.length > 1 && textWidth(`${kept.join('')}…`) > room) kept = kept.slice(0, -1);
  return `${kept.join('').trimEnd()}…`;
}
