import { connectToHost } from './host.ts';
import { type Fields, fields, textOf } from './result.ts';
import { showState, type ViewState } from './show-result.ts';

/** Of the host's style variables, those that the view has a use for. */
const STYLE_NAME = /^--(color-(background|text|border)-(primary|secondary)|font-(sans|mono))$/;

function start(): void {
  const root = document.documentElement;
  const view = document.getElementById('view');
  if (view === null) return;
  let state: ViewState = {
    locale: navigator.language,
    tool: '',
    input: {},
    isCancelled: false,
    result: undefined,
  };
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  let hostTheme = '';
  const applyTheme = () => {
    root.dataset['theme'] = hostTheme || (dark.matches ? 'dark' : 'light');
  };
  const show = (change: Partial<ViewState>) => {
    state = { ...state, ...change };
    const { nodes, words } = showState(state);
    root.lang = words.language;
    view.replaceChildren(...nodes);
    view.ariaBusy = String(state.result === undefined && !state.isCancelled);
  };

  dark.addEventListener('change', applyTheme);
  applyTheme();
  show({});
  const host = connectToHost({
    context(context) {
      const theme = textOf(context['theme']);
      hostTheme = theme === 'dark' || theme === 'light' ? theme : '';
      applyTheme();
      applyStyles(root, fields(fields(context['styles'])['variables']));
      const locale = textOf(context['locale']) || navigator.language;
      const tool = textOf(fields(fields(context['toolInfo'])['tool'])['name']);
      if (locale !== state.locale || tool !== state.tool) show({ locale, tool });
    },
    // Once there is a result, the input adds nothing to it.
    input: (input) => (state.result === undefined ? show({ input }) : undefined),
    result: (result) => show({ result }),
    cancelled: () => show({ isCancelled: true }),
  });
  let height = 0;
  new ResizeObserver(() => {
    const now = Math.ceil(view.getBoundingClientRect().height);
    if (now === height) return;
    height = now;
    host.sizeChanged(now);
  }).observe(view);
}

/** The host's colours are taken only together: its text on our background may be white on white. */
function applyStyles(root: HTMLElement, variables: Fields): void {
  const hasBoth = ['background', 'text'].every((name) => textOf(variables[`--color-${name}-primary`]) !== '');
  for (const [name, value] of Object.entries(variables)) {
    const isTaken = STYLE_NAME.test(name) && (hasBoth || name.startsWith('--font'));
    // Nothing is loaded for a style.
    if (isTaken && typeof value === 'string' && !/url\(/i.test(value)) root.style.setProperty(name, value);
  }
}

start();
