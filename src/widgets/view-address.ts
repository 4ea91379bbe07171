/** Made by `npm run widgets` from src/widgets/view. */
export const VIEW_URI = 'ui://local-coder/view-3db614e8a5.html';
