//go:build !linux

package server

import "errors"

// OpenDir is for Linux: files have to be told apart by a number, and that is where the
// server was tried.
func OpenDir(string) (Store, error) {
	return nil, errors.New("a directory can be served on Linux only; --memory works everywhere")
}
