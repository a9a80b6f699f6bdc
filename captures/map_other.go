//go:build !linux

package captures

import (
	"errors"
	"os"
)

func mapFile(*os.File, int) ([]byte, error) { return nil, errors.ErrUnsupported }
func unmap([]byte)                          {}
func bringIn([]byte, int, int) bool         { return false }
func letGo([]byte, int, int)                {}
