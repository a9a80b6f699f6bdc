//go:build !unix

package smbdtest

import "os/exec"

// Where there is no smbd, there is nothing to end.

func started(command func() *exec.Cmd, _ bool) (*exec.Cmd, error) {
	c := command()
	return c, c.Start()
}
func end(c *exec.Cmd) { _ = c.Process.Kill() }
