"""The guided questionnaire: what experts wrote, which questions it has for whom, and what was answered."""
