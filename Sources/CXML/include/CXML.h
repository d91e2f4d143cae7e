// A pull reader over libxml2 with an opaque header: libxml2's own headers bring ICU's, which clash with Foundation's.
// No network, no DTD is loaded, no entity is expanded but the five of XML, and nothing is written to stderr. The
// library's own limits stay in force: 256 levels, 10 MB for one text.
#ifndef CXML_H
#define CXML_H

/// What the reader stands on.
enum {
    CXML_ERROR = -1,
    CXML_END = 0,
    CXML_ELEMENT = 1,
    CXML_ELEMENT_END = 2,
    CXML_TEXT = 3,
    CXML_OTHER = 4
};

typedef struct cxml_reader cxml_reader;

/// Opens a document of `count` bytes of UTF-8, whatever encoding it declares; they must outlive the reader. NULL when
/// there is no memory.
cxml_reader *_Nullable cxml_open(const void *_Nonnull bytes, int count);

/// Goes to the next node and says what it is.
int cxml_next(cxml_reader *_Nonnull reader);

/// Goes to the next attribute of the element; 0 after the last one.
int cxml_next_attribute(cxml_reader *_Nonnull reader);

/// Local name of the element or attribute.
const char *_Nullable cxml_name(cxml_reader *_Nonnull reader);

/// Text, or the value of the attribute.
const char *_Nullable cxml_value(cxml_reader *_Nonnull reader);

/// Whether the element ends where it begins: no CXML_ELEMENT_END follows.
int cxml_is_empty(cxml_reader *_Nonnull reader);

/// Line of the parser, from 1.
int cxml_line(cxml_reader *_Nonnull reader);

/// What is wrong with the document, without a line end; empty if nothing is.
const char *_Nonnull cxml_message(cxml_reader *_Nonnull reader);

void cxml_close(cxml_reader *_Nullable reader);

#endif
