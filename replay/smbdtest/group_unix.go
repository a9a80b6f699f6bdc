//go:build unix && !linux

package smbdtest

import (
	"os/exec"
	"syscall"
)

// started starts a server in a process group of its own, with all that it starts.
func started(command func() *exec.Cmd, _ bool) (*exec.Cmd, error) {
	c := command()
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return c, c.Start()
}

// end ends the whole group.
func end(c *exec.Cmd) { _ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
