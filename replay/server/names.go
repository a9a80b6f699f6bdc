package server

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"unicode/utf8"

	"github.com/odxray/odxray/dissect/ntstatus"
)

// parsePath turns the name of a CREATE into a path of a Store and the name of a stream.
// [MS-FSCC] 2.1.5
func parsePath(name string) (path, stream string, st status) {
	if name == "" {
		return "", "", ntstatus.Success
	}
	if strings.HasPrefix(name, `\`) {
		return "", "", ntstatus.InvalidParameter
	}
	name = strings.TrimSuffix(name, `\`)
	dir, last := "", name
	if i := strings.LastIndexByte(name, '\\'); i >= 0 {
		dir, last = name[:i+1], name[i+1:]
	}
	if file, rest, ok := strings.Cut(last, ":"); ok {
		s, kind, typed := strings.Cut(rest, ":")
		if typed && !strings.EqualFold(kind, "$DATA") || !typed && s == "" || len(s) > 255 || strings.ContainsAny(s, `/\:`) || file == "" {
			return "", "", ntstatus.ObjectNameInvalid
		}
		last, stream = file, s
	}
	name = dir + last
	if len(name) > 4096 {
		return "", "", ntstatus.ObjectNameInvalid
	}
	parts := strings.Split(name, `\`)
	for _, p := range parts {
		if st := checkName(p); st != ntstatus.Success {
			return "", "", st
		}
	}
	return strings.Join(parts, "/"), stream, ntstatus.Success
}

// checkName tells whether a file may be called that.
func checkName(name string) status {
	if name == "" || name == "." || name == ".." || len(name) > 255 || !utf8.ValidString(name) {
		return ntstatus.ObjectNameInvalid
	}
	for _, r := range name {
		if r < 0x20 || strings.ContainsRune(`"*/:<>?|`, r) {
			return ntstatus.ObjectNameInvalid
		}
	}
	return ntstatus.Success
}

// windowsPath is a path as clients see it, from the share on.
func windowsPath(path, stream string) string {
	name := `\` + strings.ReplaceAll(path, "/", `\`)
	if stream != "" {
		name += ":" + stream
	}
	return name
}

// statusOf is what an error of a Store is to clients.
func statusOf(err error) status {
	switch {
	case err == nil:
		return ntstatus.Success
	case errors.Is(err, errPath):
		return ntstatus.ObjectPathNotFound
	case errors.Is(err, fs.ErrNotExist):
		return ntstatus.ObjectNameNotFound
	case errors.Is(err, fs.ErrExist):
		return ntstatus.ObjectNameCollision
	case errors.Is(err, errNotEmpty):
		return ntstatus.DirectoryNotEmpty
	case errors.Is(err, errFull):
		return ntstatus.DiskFull
	case errors.Is(err, errDirectory):
		return ntstatus.FileIsADirectory
	case errors.Is(err, errNoDirectory):
		return ntstatus.NotADirectory
	case errors.Is(err, errReadOnly):
		return ntstatus.MediaWriteProtected
	case errors.Is(err, errUnsupported):
		return ntstatus.NotSupported
	case errors.Is(err, fs.ErrPermission):
		return ntstatus.AccessDenied
	}
	return ntstatus.UnexpectedNetworkError
}

// matches tells whether a name fits a pattern with * and ?, and what DOS made of them:
// < is *, > is ? or nothing at a dot or the end, " is a dot or the end.
// [MS-FSCC] 2.1.4.4
func matches(pattern, name string) bool {
	p := []rune(fold(pattern))
	if len(p) > 512 {
		return false
	}
	// at holds the places in the pattern that what was read of the name may lead to.
	at := map[int]bool{}
	add := func(set map[int]bool, i int) {
		for ; ; i++ {
			set[i] = true
			if i >= len(p) || p[i] != '*' && p[i] != '<' {
				return
			}
		}
	}
	add(at, 0)
	for _, r := range fold(name) {
		next := map[int]bool{}
		for j := 0; j < len(p); j++ {
			if at[j] && r == '.' && p[j] == '>' {
				add(at, j+1)
			}
		}
		for j := range at {
			if j >= len(p) {
				continue
			}
			switch p[j] {
			case '*':
				add(next, j)
			case '<':
				add(next, j) // the last dot, too: "<" is mostly followed by another "."
			case '?':
				add(next, j+1)
			case '>':
				if r != '.' {
					add(next, j+1)
				}
			case '"':
				if r == '.' {
					add(next, j+1)
				}
			default:
				if p[j] == r {
					add(next, j+1)
				}
			}
		}
		at = next
	}
	for j := 0; j < len(p); j++ {
		if at[j] && (p[j] == '>' || p[j] == '"') {
			add(at, j+1)
		}
	}
	return at[len(p)]
}

// shortName is a name of 8 and 3 characters for a file. Files cannot be opened by it: it
// is for clients that ask. [MS-FSCC] 2.1.5.2.1
func shortName(path string, number uint64) string {
	name := fold(path[strings.LastIndexByte(path, '/')+1:])
	keep := func(s string, n int) string {
		s = strings.Map(func(r rune) rune {
			if r < 0x80 && (r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-') {
				return r
			}
			return -1
		}, s)
		return s[:min(len(s), n)]
	}
	stem, extension := name, ""
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		stem, extension = name[:i], name[i+1:]
	}
	short, end := keep(stem, 8), keep(extension, 3)
	if short != stem || end != extension {
		short = fmt.Sprintf("%s%04X~1", keep(stem, 2), uint16(number))
	}
	if end != "" {
		short += "." + end
	}
	return short
}
