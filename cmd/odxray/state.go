package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"runtime"
)

// settingsFile is where the terminal UI keeps its settings; "" if there is no such place.
func settingsFile() string {
	dir, err := os.UserConfigDir() // $XDG_CONFIG_HOME, where that is the custom
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "odxray", "ui.json")
}

// stateFile is where the terminal UI keeps what it knows of a capture: a file that its path
// names, so that nobody reads it from the name. "" if there is no such place, or no file.
func stateFile(capture string) string {
	if info, err := os.Stat(capture); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	path, err := filepath.Abs(capture)
	dir := stateDir()
	if err != nil || dir == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(path))
	return filepath.Join(dir, "odxray", hex.EncodeToString(sum[:8])+".json")
}

// stateDir is $XDG_STATE_HOME, or what takes its place; "" if there is none.
func stateDir() string {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return dir
	}
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return ""
		}
		return dir
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".local", "state")
}
