package captures

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"
)

// DropPrivileges gives up all capabilities of the process, for good: nothing after the
// sockets are open needs any. One stays where dir is given and the process could not make
// files there without: CAP_DAC_OVERRIDE, as root has it for the files of others.
func DropPrivileges(dir string) error {
	var keep uint32
	if dir != "" {
		if err := setCapabilities(0, keepAll); err != nil {
			return err
		}
		if unix.Faccessat(unix.AT_FDCWD, dir, unix.W_OK|unix.X_OK, unix.AT_EACCESS) != nil {
			keep = 1 << unix.CAP_DAC_OVERRIDE
		}
	}
	if err := setCapabilities(keep, keep); err != nil {
		return err
	}
	// What this process starts does not get them back either.
	if _, _, e := psx.Syscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0); e != 0 {
		return fmt.Errorf("giving up privileges: %w", e)
	}
	return nil
}

// keepAll means what is permitted already.
const keepAll = ^uint32(0)

// setCapabilities sets those of all threads, and lets none be inherited; of permitted
// none are added. capset(2)
func setCapabilities(effective, permitted uint32) error {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var have, want [2]unix.CapUserData
	if err := unix.Capget(&head, &have[0]); err != nil {
		return fmt.Errorf("giving up privileges: %w", err)
	}
	want[0].Effective, want[0].Permitted = effective&have[0].Permitted, permitted&have[0].Permitted
	if permitted == keepAll {
		want[1].Permitted = have[1].Permitted
	}
	head = unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if _, _, e := psx.Syscall3(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&head)), uintptr(unsafe.Pointer(&want[0])), 0); e != 0 {
		return fmt.Errorf("giving up privileges: %w", e)
	}
	return nil
}
