export { changeRoot, imageEntrypoint, imageReference, imageUser } from './image/image.ts'
export { layOutImage, layOutRelease, type ImageOptions } from './image/lay-out.ts'
export { bundleFile, installManifests, type Manifest } from './install-manifests.ts'

/** The folder of everything that is installed. */
export const deployFolder = import.meta.dirname
