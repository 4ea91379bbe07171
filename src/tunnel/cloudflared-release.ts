/**
 * The release of cloudflared that --tunnel-install downloads, with the SHA-256 of each file as its release page names
 * them (https://github.com/cloudflare/cloudflared/releases/tag/2026.9.3).
 */
export const CLOUDFLARED_VERSION = '2026.9.3';

const DIGESTS: Readonly<Record<string, string>> = {
  'cloudflared-linux-amd64': '77e26d8d900e0b8469f416239d14b5f296525fdf79fee6f511ef55609e3fbac2',
  'cloudflared-linux-arm64': 'aaeb2d7d0da3614634c7e03ab13487a1522c2e79165ed2929cfe23d5e95b326d',
  'cloudflared-darwin-amd64.tgz': 'd1155d0837487f261183b15c1eab6c4ebcad9dc49b94675f1524c3564cea3977',
  'cloudflared-darwin-arm64.tgz': '587c2cfb1c230fe36c7fa7727da78be459dae028cabe8c001291999350f07095',
  'cloudflared-windows-amd64.exe': 'f096265ec2fcbe9bb6e2d64268db167ced3fcbb83d894bdb9e2fcdb26f2ea7e2',
};

/** There is no build for Windows on Arm; the one for x64 runs there under emulation. */
const ASSETS: Readonly<Record<string, string>> = {
  'linux-x64': 'cloudflared-linux-amd64',
  'linux-arm64': 'cloudflared-linux-arm64',
  'darwin-x64': 'cloudflared-darwin-amd64.tgz',
  'darwin-arm64': 'cloudflared-darwin-arm64.tgz',
  'win32-x64': 'cloudflared-windows-amd64.exe',
  'win32-arm64': 'cloudflared-windows-amd64.exe',
};

/** The release file for a platform, such as `linux-x64`; undefined where there is none. */
export function releaseAsset(platform: string): string | undefined {
  return ASSETS[platform];
}

/** The pinned digest of a release file, lower-case hex. */
export function pinnedDigest(asset: string): string | undefined {
  return DIGESTS[asset];
}
