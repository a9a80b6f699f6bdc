package report

import (
	"net/url"
	"path/filepath"
	"strings"
)

// fileURI makes a URI reference of a path: relative paths stay relative, so that a
// CI system finds the file in its checkout.
func fileURI(path string) string {
	u := url.URL{Path: filepath.ToSlash(path)}
	if filepath.IsAbs(path) {
		u.Scheme = "file"
	}
	return strings.TrimPrefix(u.String(), "./")
}
