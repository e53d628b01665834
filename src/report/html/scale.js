'use strict';
// Scales: from a value to a place along an axis, and the ticks that a person can
// read there. The same rules as the plots in files.

const BENDS = {
  log: Math.log,
  linear: (value) => value,
  // From zero, with room for the small among the large.
  root: (value) => Math.sign(value) * Math.sqrt(Math.abs(value)),
};

/** An axis from `low` at `from` to `high` at `to`, in pixels. */
function makeScale(spacing, low, high, from, to) {
  if (spacing === 'log' && !(low > 0)) spacing = 'linear';
  if (spacing === 'log' && high <= low * 1.001) [low, high] = [low / 1.5, high * 1.5];
  if (high <= low) high = low + 1;
  const bend = BENDS[spacing];
  const [start, end] = [bend(low), bend(high)];
  const place = (value) => {
    // What a logarithmic axis cannot show lies at its lower end.
    if (spacing === 'log' && !(value > low)) return from;
    return from + ((to - from) * (bend(value) - start)) / (end - start);
  };
  const scale = { spacing, low, high, place };
  scale.ticks = (apart) => ticksOf(scale, apart);
  return scale;
}

function ticksOf(scale, apart) {
  if (scale.spacing === 'log') return logTicks(scale, apart);
  if (scale.spacing === 'root') return rootTicks(scale, apart);
  return linearTicks(scale, apart);
}

function fits(scale, ticks, apart) {
  return ticks.every(
    (tick, i) => i === 0 || Math.abs(scale.place(tick) - scale.place(ticks[i - 1])) >= apart);
}

/** Without the tail that a binary fraction may have. */
function round(value) {
  return Number(value.toPrecision(9));
}

/** The densest of 1–2–5, 1–3 and whole decades that fits, else equal steps. */
function logTicks(scale, apart) {
  const decades = [];
  const last = Math.ceil(Math.log10(scale.high));
  for (let i = Math.floor(Math.log10(scale.low)); i <= last; i += 1) decades.push(i);
  for (const factors of [[1, 2, 5], [1, 3], [1]]) {
    const ticks = decades
      .flatMap((decade) => factors.map((factor) => round(factor * 10 ** decade)))
      .filter((tick) => tick >= scale.low && tick <= scale.high);
    if (ticks.length >= 3 && fits(scale, ticks, apart)) return ticks;
  }
  return linearTicks(scale, apart);
}

function linearTicks(scale, apart) {
  const decade = Math.floor(Math.log10(scale.high - scale.low));
  for (let i = decade - 2; i <= decade + 1; i += 1) {
    for (const factor of [1, 2, 5]) {
      const step = round(factor * 10 ** i);
      const ticks = [];
      const last = Math.floor(scale.high / step);
      for (let n = Math.ceil(scale.low / step); n <= last; n += 1) ticks.push(round(n * step));
      if (fits(scale, ticks, apart)) return ticks;
    }
  }
  return [scale.low];
}

/** Zero, and from the largest down what of 1–2–5 keeps its distance. */
function rootTicks(scale, apart) {
  const ticks = [];
  const top = Math.ceil(Math.log10(scale.high));
  const far = (a, b) => Math.abs(scale.place(a) - scale.place(b)) >= apart;
  for (let decade = top; decade >= top - 5; decade -= 1) {
    for (const factor of [5, 2, 1]) {
      const tick = round(factor * 10 ** decade);
      const previous = ticks.length ? ticks[ticks.length - 1] : Infinity;
      if (tick <= scale.high && far(tick, 0) && (previous === Infinity || far(tick, previous))) {
        ticks.push(tick);
      }
    }
  }
  ticks.push(0);
  return ticks.reverse();
}

/** Names of times: in seconds, unless some would be mostly zeros. */
function secondsNames(ticks) {
  if (ticks.some((tick) => tick >= 0.01) && ticks.every((tick) => tick >= 0.001 || tick === 0)) {
    return ticks.map((tick) => `${round(tick)} s`);
  }
  return ticks.map((tick) => {
    if (tick === 0) return '0 s';
    if (tick >= 1) return `${round(tick)} s`;
    return tick >= 0.001 ? `${round(tick * 1e3)} ms` : `${round(tick * 1e6)} µs`;
  });
}

/** Names of fractions in per cent, large ones with a prefix: `20k %`. */
function percentNames(ticks) {
  return ticks.map((tick) => {
    const percent = round(tick * 100);
    const size = Math.abs(percent);
    if (size >= 1e6) return `${round(percent / 1e6)}M %`;
    return size >= 1e4 ? `${round(percent / 1e3)}k %` : `${percent} %`;
  });
}

/** Names of sizes that are given in MiB. */
function mebibytesNames(ticks) {
  return ticks.map((tick) => `${round(tick)} MiB`);
}
