'use strict';
// What each plot shows: from the page's data to lines and bars.

/** Plots of one of a cell's figures against workers. */
const OVER_WORKERS = {
  runtime: {
    label: 'Runtime against workers',
    y: { spacing: 'log', names: secondsNames },
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

/** Different numbers, ascending. */
function distinct(numbers) {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function overWorkers(data, shown, id) {
  const workers = distinct(data.series.flatMap((series) => series.points.map((point) => point.workers)));
  const lines = data.series.map((series, row) => ({
    series,
    row,
    points: series.points.filter((point) => point[id]).map((point) => ({
      x: point.workers, facts: point.facts, whole: point.whole, ...point[id],
    })),
  }));
  return {
    dodge: false,
    ...OVER_WORKERS[id],
    bounds: id === 'runtime' ? data.bounds : [],
    x: { name: 'workers', spacing: 'log', ticks: workers.map((count) => [count, String(count)]) },
    lines: lines.filter((line) => shown.has(line.row) && line.points.length),
    heading(point) {
      const bounds = data.bounds.flatMap((bound) => bound.texts
        .filter(([at]) => at === point.x)
        .map(([, text]) => `${bound.name} ${text}`));
      return [counted(point.x, 'worker'), ...bounds].join(' · ');
    },
  };
}

/** The cells that a plot of one worker count shows: [series, its number, cell]. */
function cellsAt(data, workers) {
  return data.series.flatMap((series, row) => series.points
    .filter((point) => point.workers === workers || series.single)
    .map((point) => [series, row, point]));
}

/** What share of answers one in so many leaves. */
function shareName(oneIn) {
  return oneIn === 1 ? 'fastest' : `${round(100 - 100 / oneIn)} %`;
}

function latencyPlot(data, shown, workers) {
  const lines = cellsAt(data, workers)
    .filter(([, row, point]) => shown.has(row) && point.latencies.length)
    .map(([series, row, point]) => ({
      series: { ...series, single: false },
      row,
      points: point.latencies.map(([oneIn, seconds, text], i) => ({
        x: oneIn,
        at: seconds,
        text,
        whole: true,
        slowest: i === point.latencies.length - 1,
        facts: point.facts.slice(0, 1),
      })),
    }));
  const most = Math.max(2, ...lines.flatMap((line) => line.points.map((point) => point.x)));
  const ticks = [1, 2, 4, 10, 20, 100, 1e3, 1e4, 1e5, 1e6].filter((oneIn) => oneIn < most);
  return {
    label: `Latency distribution with ${counted(workers, 'worker')}`,
    x: {
      name: 'share of answers',
      spacing: 'log',
      // The axis reaches to the slowest answer, whose place needs no name.
      ticks: [...ticks.map((oneIn) => [oneIn, shareName(oneIn)]), [most, '']],
    },
    y: { spacing: 'log', names: secondsNames },
    bounds: [],
    lines,
    dodge: false,
    heading: (point) => {
      if (point.slowest) return `slowest of ${counted(point.x, 'answer')}`;
      return point.x === 1 ? 'fastest answer' : `${shareName(point.x)} took no longer than`;
    },
  };
}

/** Building is part of the cold runtime alone, and shown where that is asked for. */
function partsOf(point, cold) {
  return point.split.parts.filter((part) => cold || !part.cold);
}

function splitPlot(data, shown, workers, cold) {
  const all = cellsAt(data, workers).filter(([, row, point]) => shown.has(row) && point.split);
  // A strategy of one worker lies over a bound of its own, which is another scale.
  const several = all.filter(([, , point]) => point.workers === workers);
  const cells = several.length ? several : all;
  const rows = cells.map(([series, row, point]) => {
    let [below, above] = [0, 0];
    const bars = partsOf(point, cold).map((part) => {
      // What is less than nothing is drawn to the other side.
      const from = part.seconds < 0 ? below : above;
      const to = from + part.seconds;
      if (part.seconds < 0) below = to;
      else above = to;
      return {
        from,
        to,
        style: `fill:${part.colour || 'var(--ink)'}`,
        label: `${part.name} ${part.text}`,
        content: () => splitContent(series, point, part),
      };
    });
    const name = series.single ? `${series.name}, 1 worker` : series.name;
    return { name, series: row, bars, low: below, high: above };
  });
  return {
    label: `Parts of the gap with ${counted(workers, 'worker')}`,
    name: 'beyond the lower bound',
    low: Math.min(0, ...rows.map((row) => row.low)),
    high: Math.max(1e-6, ...rows.map((row) => row.high)),
    height: 26,
    rows,
  };
}

function splitContent(series, point, chosen) {
  const parts = point.split.parts.map((part) => element('li',
    { class: part === chosen ? 'chosen' : null },
    key(part.colour), element('bdi', {}, part.name), element('b', {}, part.text)));
  return [
    element('p', { class: 'heading' }, `${point.facts[0]}: ${point.split.whole} over the bound`),
    element('ul', {}, ...parts),
  ];
}

/** A square in a colour. */
function key(colour) {
  const square = shape('rect', { x: 1, y: 1, width: 12, height: 12, class: 'bar',
    style: `fill:${colour || 'var(--ink)'}` });
  return shape('svg', { width: 14, height: 14, 'aria-hidden': 'true' }, square);
}

/** The names of the parts that a record has, as a legend. */
function splitKeys(data, cold) {
  const parts = data.series.flatMap((series) => series.points.flatMap((point) =>
    (point.split ? partsOf(point, cold) : [])));
  const known = new Map(parts.map((part) => [part.name, part.colour]));
  return [...known].map(([name, colour]) => element('span', {}, key(colour), name));
}

function timelinePlot(timeline) {
  const rows = timeline.lanes.map((lane) => ({
    name: String(lane.worker),
    full: `worker ${lane.worker}`,
    bars: lane.marks.map(([from, to, kind, text]) => ({
      from,
      to,
      class: kind,
      label: text,
      content: () => [
        element('p', { class: 'heading' }, `worker ${lane.worker}`), element('p', {}, text)],
    })),
  }));
  return {
    label: `Requests by worker of ${timeline.name}`,
    name: 'time since the start, a row a worker',
    low: 0,
    high: timeline.runtime_s,
    height: Math.max(5, Math.min(18, 420 / rows.length)),
    rows,
  };
}
