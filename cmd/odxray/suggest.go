package main

import (
	"fmt"

	"github.com/odxray/odxray/dissect/filter"
)

// didYouMean ends the sentence that says that word is unknown.
func didYouMean(word string, names []string) string {
	if name := filter.Nearest(word, names); name != "" {
		return fmt.Sprintf("; did you mean %q?", name)
	}
	return ""
}
