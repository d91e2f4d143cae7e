#include "CXML.h"

#include <stdlib.h>
#include <string.h>

#include <libxml/xmlversion.h>
#undef LIBXML_ICU_ENABLED
#include <libxml/xmlreader.h>

struct cxml_reader {
    xmlTextReaderPtr reader;
    char message[200];
};

// Only the first error is kept: the others follow from it.
static void keep_error(void *context, xmlErrorPtr error) {
    cxml_reader *reader = context;
    if (reader->message[0] || !error || !error->message || error->level < XML_ERR_ERROR) return;
    strncpy(reader->message, error->message, sizeof reader->message - 1);
    for (size_t end = strlen(reader->message); end > 0 && (unsigned char)reader->message[end - 1] <= ' '; end--)
        reader->message[end - 1] = 0;
}

cxml_reader *cxml_open(const void *bytes, int count) {
    cxml_reader *reader = calloc(1, sizeof *reader);
    if (!reader) return NULL;
    reader->reader = xmlReaderForMemory(
        bytes, count, NULL, "UTF-8", XML_PARSE_NONET | XML_PARSE_IGNORE_ENC | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (!reader->reader) {
        free(reader);
        return NULL;
    }
    xmlTextReaderSetStructuredErrorHandler(reader->reader, (xmlStructuredErrorFunc)keep_error, reader);
    return reader;
}

int cxml_next(cxml_reader *reader) {
    int result = xmlTextReaderRead(reader->reader);
    if (result < 0) return CXML_ERROR;
    if (result == 0) return CXML_END;
    switch (xmlTextReaderNodeType(reader->reader)) {
    case XML_READER_TYPE_ELEMENT: return CXML_ELEMENT;
    case XML_READER_TYPE_END_ELEMENT: return CXML_ELEMENT_END;
    case XML_READER_TYPE_TEXT:
    case XML_READER_TYPE_CDATA: return CXML_TEXT;
    default: return CXML_OTHER;
    }
}

int cxml_next_attribute(cxml_reader *reader) { return xmlTextReaderMoveToNextAttribute(reader->reader) == 1; }

const char *cxml_name(cxml_reader *reader) { return (const char *)xmlTextReaderConstLocalName(reader->reader); }

const char *cxml_value(cxml_reader *reader) { return (const char *)xmlTextReaderConstValue(reader->reader); }

int cxml_is_empty(cxml_reader *reader) { return xmlTextReaderIsEmptyElement(reader->reader) == 1; }

int cxml_line(cxml_reader *reader) { return xmlTextReaderGetParserLineNumber(reader->reader); }

const char *cxml_message(cxml_reader *reader) { return reader->message; }

void cxml_close(cxml_reader *reader) {
    if (!reader) return;
    xmlFreeTextReader(reader->reader);
    free(reader);
}
