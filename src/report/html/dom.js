'use strict';
// Elements, shapes, and the looks of lines. Text only ever becomes text nodes
// and attribute values: nothing of the data is parsed as markup.

const SVG = 'http://www.w3.org/2000/svg';

/** An HTML element with attributes and children, which are nodes or texts. */
function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same of SVG. */
function shape(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

const measuring = document.createElement('canvas').getContext('2d');

/** The width of a plot's label in pixels. */
function textWidth(text) {
  measuring.font = '12px system-ui, sans-serif';
  // A little more, as a browser may have scaled its texts.
  return measuring.measureText(text).width * 1.05;
}

/** A place with a tenth of a pixel, which is finer than any screen. */
function px(value) {
  return Math.round(value * 10) / 10;
}

const OUTLINES = {
  square: [[-1, -1], [1, -1], [1, 1], [-1, 1]],
  triangle: [[0, -1.2], [1.15, 0.85], [-1.15, 0.85]],
  'triangle-down': [[0, 1.2], [1.15, -0.85], [-1.15, -0.85]],
  diamond: [[0, -1.35], [1.35, 0], [0, 1.35], [-1.35, 0]],
};

function colourOf(series) {
  return series.colour || 'var(--ink)';
}

/** A series' marker around a place; a cross for what does not compare. */
function marker(series, x, y, whole = true, size = 4.2) {
  const colour = colourOf(series);
  if (!whole) {
    const [a, b] = [size, -size];
    const d = `M${px(x + b)} ${px(y + b)}L${px(x + a)} ${px(y + a)}M${px(x + b)} ${px(y + a)}` +
      `L${px(x + a)} ${px(y + b)}`;
    return shape('path', { d, class: 'mark', style: `stroke:${colour};stroke-width:2.2` });
  }
  const style = `fill:${colour}`;
  if (series.marker === 'circle') {
    return shape('circle', { cx: px(x), cy: px(y), r: size, class: 'mark', style });
  }
  const places = OUTLINES[series.marker].map(([dx, dy]) => `${px(x + dx * size)},${px(y + dy * size)}`);
  return shape('polygon', { points: places.join(' '), class: 'mark', style });
}

/** A line and its marker, as a legend shows them. */
function swatch(series) {
  const line = shape('line', {
    x1: 1, x2: 27, y1: 7, y2: 7,
    'stroke-width': 2,
    'stroke-dasharray': series.dash.join(' '),
    style: `stroke:${colourOf(series)}`,
  });
  return shape('svg', { width: 28, height: 14, 'aria-hidden': 'true' }, line, marker(series, 14, 7));
}
