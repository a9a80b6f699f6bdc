//go:build unix

package smbdtest

import (
	"os/exec"
	"syscall"
)

// grouped has a program run in a process group of its own, with all that it starts.
func grouped(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// end ends the whole group.
func end(c *exec.Cmd) { _ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
