/** Made by `npm run widgets` from src/widgets/view. */
export const VIEW_URI = 'ui://local-coder/view-2d0ea41df6.html';
