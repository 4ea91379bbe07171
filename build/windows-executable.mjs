/**
 * Makes node.exe our executable: the blob, version information and icon become resources. The signature of node.exe,
 * which any change makes invalid, is left out; a publisher signs the result with a certificate of its own.
 *
 * The blob is put in as postject does it, as the resource RT_RCDATA "NODE_SEA_BLOB" of no language, where Node's own
 * FindResource looks. Not by postject, because that leaves the old resources and a signature entry that points
 * nowhere in the file, and takes ten seconds.
 */
import { Data, NtExecutable, NtExecutableResource, Resource } from 'resedit';
import { ICON_SIZES, windowsIcon } from './windows-icon.mjs';

const RT_ICON = 3;
const RT_RCDATA = 10;
const RT_GROUP_ICON = 14;
const RT_VERSION = 16;
const ENGLISH_US = 0x409;
const UNICODE = 1200;
const CERTIFICATE_TABLE = 4;
const VOS_NT_WINDOWS32 = 0x40004;
const VFT_APP = 1;

/**
 * @param {Buffer} base  node.exe
 * @param {{ blob: Buffer, version: string, description: string, nodeVersion: string, licence: string }} contents
 * @returns {Buffer}
 */
export function makeWindowsExecutable(base, { blob, ...about }) {
  const executable = NtExecutable.from(base, { ignoreCert: true });
  executable.newHeader.optionalHeaderDataDirectory.set(CERTIFICATE_TABLE, { virtualAddress: 0, size: 0 });
  const resources = NtExecutableResource.from(executable);
  resources.entries = resources.entries.filter(
    ({ type }) => ![RT_ICON, RT_GROUP_ICON, RT_VERSION].includes(type),
  );
  Resource.IconGroupEntry.replaceIconsForResource(
    resources.entries,
    1,
    ENGLISH_US,
    ICON_SIZES.map((size) => Data.IconItem.from(windowsIcon(size))),
  );
  versionInformation(about).outputToResourceEntries(resources.entries);
  resources.entries.push({
    type: RT_RCDATA,
    id: 'NODE_SEA_BLOB',
    lang: 0,
    codepage: 0,
    bin: blob.buffer.slice(blob.byteOffset, blob.byteOffset + blob.length),
  });
  resources.outputResource(executable);
  return Buffer.from(executable.generate());
}

function versionInformation({ version, description, nodeVersion, licence }) {
  // Windows knows four numbers and nothing of what may follow them, such as "-rc.1".
  const numbers = version.split(/[.+-]/, 3).map(Number);
  const information = Resource.VersionInfo.createEmpty();
  information.lang = ENGLISH_US;
  Object.assign(information.fixedInfo, { fileFlagsMask: 0x3f, fileOS: VOS_NT_WINDOWS32, fileType: VFT_APP });
  information.setFileVersion(...numbers, 0, ENGLISH_US);
  information.setProductVersion(...numbers, 0, ENGLISH_US);
  information.setStringValues(
    { lang: ENGLISH_US, codepage: UNICODE },
    {
      ProductName: 'local-coder',
      FileDescription: 'local-coder',
      Comments: `${description} Runs on Node.js ${nodeVersion}.`,
      FileVersion: version,
      ProductVersion: version,
      InternalName: 'local-coder',
      OriginalFilename: 'local-coder.exe',
      LegalCopyright: `${licence} licence`,
    },
  );
  return information;
}
