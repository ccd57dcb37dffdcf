import { absent, lacks, like, type Section } from '../row.js';

export const features = {
  title: 'Device features',
  rows: {
    VFIO_DEVICE_FEATURE: '`device.features`',
    VFIO_DEVICE_FEATURE_GET: '`device.features.get()`',
    VFIO_DEVICE_FEATURE_SET: '`device.features.set()`',
    VFIO_DEVICE_FEATURE_PROBE: '`device.features.list()`, `device.features.has()`',
    VFIO_DEVICE_FEATURE_PCI_VF_TOKEN: '`device.features.setVfToken()`',
    VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY: '`device.features.lowPower.enter()`',
    VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP: '`device.features.lowPower.sleep()`',
    VFIO_DEVICE_FEATURE_LOW_POWER_EXIT: '`device.features.lowPower.exit()`',
    VFIO_DEVICE_FEATURE_DMA_LOGGING_START: '`device.features.dmaLogging.start()`',
    VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP: '`device.features.dmaLogging.stop()`',
    VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT: '`device.features.dmaLogging.report()`',
    VFIO_DEVICE_FEATURE_BUS_MASTER: absent(lacks.cdx, '`device.features.setBusMaster()`'),
    VFIO_DEVICE_FEATURE_CLEAR_MASTER: like(
      'VFIO_DEVICE_FEATURE_BUS_MASTER',
      '`device.features.setBusMaster(false)`',
    ),
    VFIO_DEVICE_FEATURE_SET_MASTER: like(
      'VFIO_DEVICE_FEATURE_BUS_MASTER',
      '`device.features.setBusMaster(true)`',
    ),
    VFIO_DEVICE_FEATURE_DMA_BUF: '`device.features.exportDmaBuf()`',
    VFIO_DEVICE_FEATURE_ZPCI_ERROR: absent(lacks.s390),
  },
} as const satisfies Section;

export const migration = {
  title: 'Migration',
  rows: {
    VFIO_DEVICE_FEATURE_MIGRATION: '`device.features.migration.flags`',
    VFIO_MIGRATION_STOP_COPY: '`migration.flags.stopCopy`',
    VFIO_MIGRATION_P2P: '`migration.flags.p2p`',
    VFIO_MIGRATION_PRE_COPY: '`migration.flags.preCopy`',
    VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE: '`migration.state`, `migration.setState()`',
    VFIO_DEVICE_STATE_ERROR: absent(lacks.broken, "`'error'` of `migration.state`"),
    VFIO_DEVICE_STATE_STOP: "`migration.setState('stop')`",
    VFIO_DEVICE_STATE_RUNNING: "`migration.setState('running')`",
    VFIO_DEVICE_STATE_STOP_COPY: "`migration.setState('stop-copy')`",
    VFIO_DEVICE_STATE_RESUMING: "`migration.setState('resuming')`",
    VFIO_DEVICE_STATE_RUNNING_P2P: "`migration.setState('running-p2p')`",
    VFIO_DEVICE_STATE_PRE_COPY: "`migration.setState('pre-copy')`",
    VFIO_DEVICE_STATE_PRE_COPY_P2P: "`migration.setState('pre-copy-p2p')`",
    VFIO_MIG_GET_PRECOPY_INFO: '`stream.precopyInfo()`',
    VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2: '`migration.enablePrecopyInfoV2()`',
    VFIO_PRECOPY_INFO_REINIT: absent(lacks.reinit, '`stream.precopyInfo().reinitialized`'),
    VFIO_DEVICE_FEATURE_MIG_DATA_SIZE: '`migration.dataSize()`',
  },
} as const satisfies Section;
