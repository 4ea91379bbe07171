/** Made by `npm run widgets` from src/widgets/view. */
export const VIEW_URI = 'ui://local-coder/view-8858aa2df6.html';
