'use strict';
// A plot of lines: values against workers, or against the share of requests.

/** Closer than this, in pixels, two lines are one to the eye. */
const TOGETHER = 2.5;
/** The most lines that a tooltip lists. */
const LISTED = 12;

/**
 * Draws a plot into its place. The plot:
 *   label    what it shows, for those who do not see it
 *   x        { name, spacing, ticks: [[value, text]] }
 *   y        { spacing, names(ticks) }
 *   bounds   [{ name, steps: [[x, y, ceiling or null]] }], each holds to the next
 *   lines    [{ series, row, points: [{ x, at, samples, interval, text, facts, whole }] }]
 *   dodge    whether the points of one x are set side by side
 *   heading(point)  the tooltip's first line
 */
function drawLines(host, plot) {
  const width = Math.max(260, host.clientWidth);
  const height = Math.round(Math.min(400, Math.max(280, width * 0.6)));
  const points = plot.lines.flatMap((line) => line.points);
  const svg = shape('svg', {
    width, height, viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': plot.label,
  });
  host.replaceChildren(svg);
  if (!points.length) {
    svg.append(shape('text', { x: width / 2, y: height / 2, 'text-anchor': 'middle' },
      'no line is switched on that has values here'));
    return;
  }
  const bottom = height - 44;
  const y = valueScale(plot, points, bottom, 10);
  const ticks = y.ticks(26);
  const names = plot.y.names(ticks);
  const left = 14 + Math.max(...names.map(textWidth));
  const x = xScale(plot, left, width);
  grid(svg, plot, { x, y, ticks, names, left, right: width - 6, bottom });
  for (const bound of plot.bounds) drawBound(svg, bound.steps, x, y);
  const shifts = dodges(plot, x);
  const placed = plot.lines.map((line, order) => ({
    line,
    order,
    group: shape('g', { 'data-series': line.row }),
    points: line.points.map((point) => ({
      point,
      x: x.place(point.x) + (shifts ? shifts(order) : 0),
      y: y.place(point.at),
    })),
  }));
  svg.append(...placed.map((one) => one.group));
  joinPoints(placed, width - 6);
  const targets = placed.flatMap((one) => markPoints(one, plot, y));
  rings(svg, placed);
  makeReachable(svg, targets, 60);
}

/** The bound in steps, and above it up to where a greedy queue ends. */
function drawBound(svg, steps, x, y) {
  // What the last count reaches is seen as a level, not as a drop.
  const end = x.place(steps[steps.length - 1][0]) + 10;
  const start = steps.length === 1 ? end - 20 : x.place(steps[0][0]);
  const stairs = (level) => steps.flatMap((step, i) => {
    const height = px(y.place(level(step)));
    const from = i > 0 ? x.place(step[0]) : start;
    const until = i + 1 < steps.length ? x.place(steps[i + 1][0]) : end;
    return [`${px(from)},${height}`, `${px(until)},${height}`];
  });
  const bound = stairs(([, value]) => value);
  if (steps.some(([, , ceiling]) => ceiling !== null)) {
    const band = [...stairs(([, value, ceiling]) => ceiling ?? value), ...[...bound].reverse()];
    svg.append(shape('polygon', { points: band.join(' '), class: 'band' }));
  }
  svg.append(shape('polyline', { points: bound.join(' '), class: 'bound' }));
}

function valueScale(plot, points, bottom, top) {
  const values = points.flatMap((point) => [point.at, ...(point.samples || []), ...(point.interval || [])]);
  for (const bound of plot.bounds) {
    values.push(...bound.steps.flatMap(([, value, ceiling]) => [value, ceiling ?? value]));
  }
  if (plot.y.spacing === 'log') {
    const positive = values.filter((value) => value > 0);
    if (!positive.length) return makeScale('linear', 0, 1, bottom, top);
    const [least, most] = [Math.min(...positive), Math.max(...positive)];
    const margin = Math.max(1.05, (most / least) ** 0.05);
    return makeScale('log', least / margin, most * margin, bottom, top);
  }
  // From zero; where the largest is many times the usual, with room for the usual.
  const [low, high] = [Math.min(0, ...values), Math.max(0.001, ...values)];
  const usual = points.map((point) => point.at).sort((a, b) => a - b)[Math.floor(points.length / 2)];
  const spacing = high > 12 * Math.max(usual, 0.001) && high > 0.1 ? 'root' : 'linear';
  plot.onSpacing?.(spacing);
  return makeScale(spacing, low * 1.1, high * 1.1, bottom, top);
}

function xScale(plot, left, width) {
  const values = plot.x.ticks.map(([value]) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const inset = Math.min(26, width * 0.05);
  return makeScale(plot.x.spacing, low, high, left + inset, width - 6 - inset);
}

function grid(svg, plot, { x, y, ticks, names, left, right, bottom }) {
  ticks.forEach((tick, i) => {
    const at = px(y.place(tick));
    svg.append(
      shape('line', { x1: left, x2: right, y1: at, y2: at, class: tick === 0 ? 'zero' : 'grid' }),
      shape('text', { x: left - 6, y: at + 4, 'text-anchor': 'end' }, names[i]));
  });
  let free = -Infinity;
  for (const [value, text] of plot.x.ticks) {
    const at = px(x.place(value));
    svg.append(shape('line', { x1: at, x2: at, y1: bottom, y2: bottom + 4, class: 'tick' }));
    const half = textWidth(text) / 2;
    // The first name that has room after the one before it.
    if (at - half < free + 6) continue;
    free = at + half;
    svg.append(shape('text', { x: at, y: bottom + 18, 'text-anchor': 'middle' }, text));
  }
  svg.append(shape('text', { x: (left + right) / 2, y: bottom + 38, 'text-anchor': 'middle' },
    plot.x.name));
}

/** How far the points of each line are set aside, where they are. */
function dodges(plot, x) {
  if (!plot.dodge || plot.lines.length < 2) return null;
  const places = plot.x.ticks.map(([value]) => x.place(value));
  const apart = places.slice(1).map((place, i) => place - places[i]);
  const step = Math.min(8, (0.62 * Math.min(60, ...apart)) / plot.lines.length);
  const middle = (plot.lines.length - 1) / 2;
  return (order) => (order - middle) * step;
}

/**
 * Lines between points. Those that lie on one another are drawn as one line of
 * alternating colours: the last one would hide the others.
 */
function joinPoints(placed, right) {
  const bundles = [];
  for (const one of placed) {
    if (one.line.series.single) {
      for (const at of one.points) {
        const style = `stroke:${colourOf(one.line.series)}`;
        one.group.append(shape('line', {
          x1: px(at.x), x2: right, y1: px(at.y), y2: px(at.y), class: 'level', style,
        }));
      }
      continue;
    }
    for (let i = 1; i < one.points.length; i += 1) {
      const [from, to] = [one.points[i - 1], one.points[i]];
      const near = ([, start, end]) =>
        [[start, from], [end, to]].every(([a, b]) => Math.hypot(a.x - b.x, a.y - b.y) < TOGETHER);
      const bundle = bundles.find((lines) => near(lines[0]));
      if (bundle) bundle.push([one, from, to]);
      else bundles.push([[one, from, to]]);
    }
  }
  const piece = 9;
  for (const bundle of bundles) {
    bundle.forEach(([one, from, to], place) => {
      const alone = bundle.length === 1;
      one.group.append(shape('line', {
        x1: px(from.x), y1: px(from.y), x2: px(to.x), y2: px(to.y),
        class: 'line',
        'stroke-dasharray': alone
          ? one.line.series.dash.join(' ')
          : `${piece} ${piece * (bundle.length - 1)}`,
        'stroke-dashoffset': alone ? 0 : -piece * place,
        style: `stroke:${colourOf(one.line.series)}`,
      }));
    });
  }
}

/** Markers, intervals and samples; returns what a person can reach. */
function markPoints(one, plot, y) {
  const { line, group } = one;
  const style = `stroke:${colourOf(line.series)}`;
  return one.points.map((at) => {
    const { point } = at;
    const node = shape('g', {
      role: 'img',
      class: 'point',
      'data-x': point.x,
      'aria-label': [plot.heading(point), ...point.facts].join('; '),
    });
    if (point.interval) {
      const [low, high] = point.interval.map((value) => px(y.place(value)));
      const [a, b, x] = [px(at.x - 3), px(at.x + 3), px(at.x)];
      const d = `M${x} ${low}V${high}M${a} ${low}H${b}M${a} ${high}H${b}`;
      node.append(shape('path', { d, class: 'interval', style }));
    }
    node.append(
      shape('circle', { cx: px(at.x), cy: px(at.y), r: 9, class: 'halo' }),
      marker(line.series, at.x, at.y, point.whole));
    // On top of the marker, which would hide those near the median.
    for (const value of point.samples || []) {
      const dot = { cx: px(at.x), cy: px(y.place(value)), r: 1.8, class: 'sample' };
      node.append(shape('circle', { ...dot, style: `fill:${colourOf(line.series)}` }));
    }
    group.append(node);
    return {
      node,
      row: line.row,
      column: point.x,
      left: at.x,
      right: at.x,
      top: at.y,
      bottom: at.y,
      content: () => columnOf(plot, point, line),
    };
  });
}

/** A ring where several points lie at one place. */
function rings(svg, placed) {
  const places = [];
  for (const { points } of placed) {
    for (const at of points) {
      const place = places.find((other) => Math.hypot(other.x - at.x, other.y - at.y) < 3);
      if (place) place.count += 1;
      else places.push({ x: at.x, y: at.y, count: 1 });
    }
  }
  for (const { x, y, count } of places) {
    if (count > 1) svg.append(shape('circle', { cx: px(x), cy: px(y), r: 5, class: 'ring' }));
  }
}

/** The tooltip: every line's value at this x, and the facts of one of them. */
function columnOf(plot, chosen, line) {
  const column = plot.lines
    .flatMap((other) => other.points.map((point) => ({ point, series: other.series })))
    .filter(({ point }) => point.x === chosen.x)
    .sort((a, b) => b.point.at - a.point.at);
  const place = column.findIndex(({ point }) => point === chosen);
  const first = Math.max(0, Math.min(place - LISTED / 2, column.length - LISTED));
  const listed = column.slice(first, first + LISTED).map(({ point, series }) => element('li',
    { class: point === chosen ? 'chosen' : null },
    swatch(series), element('bdi', {}, series.name), element('b', {}, point.text)));
  const content = [
    element('p', { class: 'heading' }, plot.heading(chosen)),
    element('ul', {}, ...listed),
  ];
  if (column.length > LISTED) {
    content.push(element('p', { class: 'quiet' }, `and ${column.length - LISTED} more`));
  }
  const facts = element('p', { class: 'facts', style: `border-color:${colourOf(line.series)}` });
  for (const fact of chosen.facts) facts.append(fact, element('br'));
  content.push(facts);
  return content;
}
