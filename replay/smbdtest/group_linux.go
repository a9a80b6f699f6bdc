package smbdtest

import (
	"os"
	"os/exec"
	"syscall"
)

// started starts a server that ends with all that it starts. Root has it in a namespace of
// processes, as some of its helpers make process groups of their own; with mounts, those
// that it makes are its own, too.
func started(command func() *exec.Cmd, mounts bool) (*exec.Cmd, error) {
	if os.Getuid() == 0 {
		c := command()
		c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID, Setpgid: true}
		if mounts {
			c.SysProcAttr.Unshareflags = syscall.CLONE_NEWNS
		}
		if err := c.Start(); err == nil || mounts {
			return c, err
		}
	}
	c := command()
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return c, c.Start()
}

// end ends the whole group, and the namespace if it has one.
func end(c *exec.Cmd) { _ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
