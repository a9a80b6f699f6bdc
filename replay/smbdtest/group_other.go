//go:build !unix

package smbdtest

import "os/exec"

// Where there is no smbd, there is nothing to end.

func grouped(*exec.Cmd) {}
func end(c *exec.Cmd)   { _ = c.Process.Kill() }
