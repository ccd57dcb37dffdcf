{
  'targets': [
    {
      'target_name': 'vfio',
      'conditions': [
        # Elsewhere an empty target lets the package install, so that its types can be used on any desk;
        # loading it then says that VFIO is a Linux interface (lib/native.ts).
        ['OS == "linux"', {
          'sources': ['<!@(ls -1 native/*.cc)'],
          'include_dirs': ['<!(node -p "require(\'node-addon-api\').include_dir")'],
          # A terminating worker refuses exceptions: they are dropped there instead of aborting the process.
          'defines': [
            'NAPI_VERSION=8',
            'NODE_ADDON_API_DISABLE_DEPRECATED',
            'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
          ],
          'cflags_cc!': ['-fno-exceptions', '-fno-rtti'],
          'cflags_cc': ['-std=c++17', '-fexceptions', '-fvisibility=hidden', '-Wall', '-Wextra', '-Wno-cast-function-type'],
          # The SIGBUS handler and the exit handler stay installed when the last worker that loaded this is gone.
          'ldflags': ['-Wl,-z,nodelete'],
        }, {
          'type': 'none',
        }],
      ],
    },
  ],
}
