'use strict';
// The tooltip, and how one gets to it: pointer, finger, or keyboard.

const tooltip = document.getElementById('tooltip');

function hideTooltip() {
  tooltip.hidden = true;
  for (const node of document.querySelectorAll('.active')) node.classList.remove('active');
}

/** Shows content beside a rectangle of the window, wherever there is room. */
function showTooltip(content, box) {
  tooltip.replaceChildren(...content);
  tooltip.hidden = false;
  const { width, height } = tooltip.getBoundingClientRect();
  const room = document.documentElement;
  const gap = 14;
  let left = box.right + gap;
  if (left + width > room.clientWidth - 4) left = box.left - gap - width;
  let top = box.top - height / 2;
  if (left < 4) {
    // Neither side has room: above or below, so that the place stays in sight.
    left = Math.max(4, Math.min(room.clientWidth - width - 4, box.left - width / 2));
    top = box.top - height - gap > 4 ? box.top - height - gap : box.bottom + gap;
  }
  tooltip.style.left = `${Math.round(left)}px`;
  tooltip.style.top = `${Math.round(Math.max(4, Math.min(room.clientHeight - height - 4, top)))}px`;
}

/** How far a place lies from a target's box. */
function distance(target, x, y) {
  const dx = Math.max(target.left - x, 0, x - target.right);
  const dy = Math.max(target.top - y, 0, y - target.bottom);
  return Math.hypot(dx, dy);
}

/**
 * Lets a person reach the targets of a drawing. A target has a node, a box in the
 * drawing's pixels (left, right, top, bottom), a row, a column where it stands in one,
 * and content() for the tooltip.
 * The drawing is one stop of the tab key; the arrow keys move within it.
 */
function makeReachable(svg, targets, reach) {
  let current = null;
  const show = (target) => {
    hideTooltip();
    current = target;
    target.node.classList.add('active');
    const frame = svg.getBoundingClientRect();
    showTooltip(target.content(), {
      left: frame.left + target.left,
      right: frame.left + target.right,
      top: frame.top + target.top,
      bottom: frame.top + target.bottom,
    });
  };
  const nearest = (event) => {
    const frame = svg.getBoundingClientRect();
    const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    let [best, least] = [null, reach];
    for (const target of targets) {
      const far = distance(target, x, y);
      // Of several at one place the one that is shown already stays.
      if (far < least || (far === least && target === current)) [best, least] = [target, far];
    }
    return best;
  };
  const point = (event) => {
    const target = nearest(event);
    if (!target) hideTooltip();
    else if (target !== current || tooltip.hidden) show(target);
  };
  const stop = (target) => {
    for (const other of targets) other.node.setAttribute('tabindex', '-1');
    target.node.setAttribute('tabindex', '0');
  };
  svg.addEventListener('pointermove', point);
  svg.addEventListener('pointerdown', point);
  svg.addEventListener('pointerleave', (event) => {
    // A finger that lifts leaves what it has shown.
    if (event.pointerType === 'mouse') hideTooltip();
  });
  for (const target of targets) {
    target.node.setAttribute('tabindex', '-1');
    target.node.addEventListener('focus', () => {
      stop(target);
      show(target);
    });
    target.node.addEventListener('blur', hideTooltip);
    target.node.addEventListener('keydown', (event) => {
      const next = neighbour(targets, target, event.key);
      if (!next) return;
      event.preventDefault();
      next.node.focus();
    });
  }
  if (targets.length) stop(targets[0]);
}

/** Where an arrow key leads from a target. */
function neighbour(targets, target, key) {
  const middle = (other) => (other.left + other.right) / 2;
  const inRow = targets.filter((other) => other.row === target.row)
    .sort((a, b) => middle(a) - middle(b));
  const place = inRow.indexOf(target);
  if (key === 'ArrowRight') return inRow[place + 1];
  if (key === 'ArrowLeft') return inRow[place - 1];
  if (key === 'Home') return inRow[0];
  if (key === 'End') return inRow[inRow.length - 1];
  if (key !== 'ArrowUp' && key !== 'ArrowDown') return undefined;
  // Of each other row what lies in the same column, or else closest.
  const closest = new Map([[target.row, target]]);
  const far = (one) => Math.max(one.left - middle(target), 0, middle(target) - one.right);
  for (const other of targets) {
    if (other.row === target.row || other.column !== target.column) continue;
    const known = closest.get(other.row);
    if (!known || far(other) < far(known)) closest.set(other.row, other);
  }
  const column = [...closest.values()].sort((a, b) => a.top - b.top || a.row - b.row);
  return column[column.indexOf(target) + (key === 'ArrowDown' ? 1 : -1)];
}

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') hideTooltip();
});
document.addEventListener('pointerdown', (event) => {
  if (!event.target.closest('.plot')) hideTooltip();
});
window.addEventListener('scroll', () => {
  // The tooltip of what has the focus follows it; that of a pointer goes.
  if (!document.activeElement.closest('.plot')) hideTooltip();
}, { passive: true });
